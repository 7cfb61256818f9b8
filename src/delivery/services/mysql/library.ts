// The library, loaded when it is needed: of a CommonJS package only names that are written out outlive bundling.
export { createConnection } from 'mysql2/promise'
