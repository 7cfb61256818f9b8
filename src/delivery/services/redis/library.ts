// The library, loaded when it is needed: of a CommonJS package only names that are written out outlive bundling.
export { createClient, RESP_TYPES } from 'redis'
