/** `busybox` means `busybox:latest`; names with a tag or a digest are taken as they are. */
export const withDefaultTag = (image: string): string => (/[:@][^/]*$/.test(image) ? image : `${image}:latest`)
