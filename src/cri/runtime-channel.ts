// The gRPC channel to a container runtime: over its unix socket, errors become RuntimeError.
import { status, type ServiceError } from '@grpc/grpc-js'
import { grpcChannel, type GrpcChannel, type MethodTypes } from '../grpc/channel.ts'
import type { MessageCodec } from '../grpc/protobuf-messages.ts'
import { RuntimeError, type RuntimeErrorReason } from './runtime.ts'

export function runtimeChannel(
  socketPath: string,
  codecOf: (name: string) => MessageCodec,
  typesOf: MethodTypes,
): GrpcChannel {
  return grpcChannel({ target: `unix:${socketPath}`, codecOf, typesOf, toError: runtimeError })
}

const reasons: Readonly<Partial<Record<number, RuntimeErrorReason>>> = {
  [status.NOT_FOUND]: 'NotFound',
  [status.DEADLINE_EXCEEDED]: 'Timeout',
  [status.UNAVAILABLE]: 'Unavailable',
}

/** Keeps grpc's words as Kubernetes shows them in events: `rpc error: code = NotFound desc = ...`. */
function runtimeError(error: ServiceError): RuntimeError {
  const code = status[error.code] ?? 'UNKNOWN'
  const goCode = code
    .split('_')
    .map(word => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')
  return new RuntimeError(reasons[error.code] ?? 'Other', `rpc error: code = ${goCode} desc = ${error.details}`)
}
