/** Whether nobody else can be listening there: without TLS only then. */
export const isLoopback = (registry: string): boolean =>
  /^(?:127(?:\.\d+){3}|localhost|\[::1\])(?::\d+)?$/.test(registry)
