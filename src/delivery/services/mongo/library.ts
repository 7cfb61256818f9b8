// The library, loaded when it is needed: of a CommonJS package only names that are written out outlive bundling.
export { BSON, MongoClient } from 'mongodb'
