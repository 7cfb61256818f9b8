// The part of etcd's rpc.proto and kv.proto (API v3) that a store needs: field numbers and types, and
// which messages each method takes and gives.
import type { MethodTypes } from '../../grpc/channel.ts'

export const etcdMessages = {
  ResponseHeader: 'revision=3 int64',
  KeyValue: 'key=1 bytes, mod_revision=3 int64, value=5 bytes',
  RangeRequest: 'key=1 bytes, range_end=2 bytes, limit=3 int64, revision=4 int64, keys_only=8 bool, count_only=9 bool',
  RangeResponse: 'header=1 ResponseHeader, kvs=2 KeyValue[], more=3 bool, count=4 int64',
  PutRequest: 'key=1 bytes, value=2 bytes',
  PutResponse: 'header=1 ResponseHeader',
  DeleteRangeRequest: 'key=1 bytes, range_end=2 bytes',
  RequestOp: 'request_range=1 RangeRequest, request_put=2 PutRequest, request_delete_range=3 DeleteRangeRequest',
  ResponseOp: 'response_range=1 RangeResponse',
  Compare: 'result=1 int32, target=2 int32, key=3 bytes, mod_revision=6 int64',
  TxnRequest: 'compare=1 Compare[], success=2 RequestOp[], failure=3 RequestOp[]',
  TxnResponse: 'header=1 ResponseHeader, succeeded=2 bool, responses=3 ResponseOp[]',
  CompactionRequest: 'revision=1 int64',
  CompactionResponse: 'header=1 ResponseHeader',
  WatchCreateRequest: 'key=1 bytes, range_end=2 bytes, start_revision=3 int64, prev_kv=6 bool',
  WatchRequest: 'create_request=1 WatchCreateRequest',
  Event: 'type=1 int32, kv=2 KeyValue, prev_kv=3 KeyValue',
  WatchResponse:
    'header=1 ResponseHeader, created=3 bool, canceled=4 bool, compact_revision=5 int64, cancel_reason=6 string, events=11 Event[]',
} as const

export const etcdMethods = {
  range: '/etcdserverpb.KV/Range',
  put: '/etcdserverpb.KV/Put',
  txn: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
  watch: '/etcdserverpb.Watch/Watch',
} as const

const stems: Readonly<Record<string, string>> = {
  [etcdMethods.range]: 'Range',
  [etcdMethods.put]: 'Put',
  [etcdMethods.txn]: 'Txn',
  [etcdMethods.compact]: 'Compaction',
  [etcdMethods.watch]: 'Watch',
}

export const etcdTypes: MethodTypes = path => ({ request: `${stems[path]}Request`, response: `${stems[path]}Response` })

export interface KeyValue {
  readonly key: Buffer
  readonly mod_revision: number
  readonly value: Buffer
}

interface Answer {
  readonly header: { readonly revision: number }
}

export interface RangeResponse extends Answer {
  readonly kvs: readonly KeyValue[]
  readonly more: boolean
  readonly count: number
}

export interface TxnResponse extends Answer {
  readonly succeeded: boolean
  readonly responses: readonly { readonly response_range?: RangeResponse }[]
}

export interface WatchResponse extends Answer {
  readonly created: boolean
  readonly canceled: boolean
  readonly compact_revision: number
  readonly cancel_reason: string
  readonly events: readonly { readonly type: number; readonly kv: KeyValue; readonly prev_kv?: KeyValue | null }[]
}

export const deletion = 1
/** Of `Compare.target`. */
export const modRevision = 2
