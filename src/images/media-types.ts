// What images and their parts are called on the wire. Source: OCI image specification 1.1; docker's image manifest
// version 2, schema 2.

export const indexType = 'application/vnd.oci.image.index.v1+json'
export const imageType = 'application/vnd.oci.image.manifest.v1+json'
export const configType = 'application/vnd.oci.image.config.v1+json'

/** For the header `Accept`: any image. */
export const anyImage = [
  indexType,
  imageType,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')
