// The library, loaded when it is needed: of a CommonJS package only names that are written out outlive bundling.
export { connect } from '@nats-io/transport-node'
