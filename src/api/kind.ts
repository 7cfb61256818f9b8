// What the server knows about a kind, in one value: `defineKind({...})`. Routes, discovery, OpenAPI,
// tables and validation derive from it; adding a kind adds one file under src/api/kinds/ and one line
// to src/api/kinds/all.ts. Every function is pure and takes its time and ids as arguments. Functions
// that "prepare" change the draft they are given, which is private to the request; validators and rows
// change nothing.
import type { Int64 } from '../lib/int64.ts'
import type { FieldError } from './field-error.ts'
import type { Shape } from './managed-fields/shape.ts'
import type { KubeObject } from './object.ts'
import type { Resource } from './resource.ts'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** A column of `kubectl get`; priority 1 shows only with `-o wide`. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: 'name' | ''
  readonly priority?: 0 | 1
  readonly description?: string
}

export type Cell = string | Int64 | boolean | null

/**
 * A part of an object that is written on its own. `status` and `scale` are built in; `prepare` receives
 * the draft as sent and the stored object, and must make of the draft what shall be stored.
 */
export interface SubresourceKind<T extends KubeObject> {
  readonly prepare: (draft: T, old: T) => void
  readonly validate?: (object: T, old: T) => FieldError[]
  /** What of the metadata it leaves as it is, whatever is sent. */
  readonly keeps?: readonly ClientMetadata[]
}

/** What clients write of the metadata. */
export type ClientMetadata = 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'

/** `exec`, `log`, `eviction`: what answers under the object's path without being a part of it. */
export interface ConnectedSubresource {
  readonly name: string
  /** Of what is sent or answered: `PodExecOptions`, `Eviction`, `TokenRequest`. */
  readonly kind: string
  readonly verbs: readonly string[]
  /** The kind's group and version where they are not those of the resource: `policy`, `v1`. */
  readonly group?: string
  readonly version?: string
}

/** Where `scale` reads and writes (paths below the object, without array indexes). */
export interface ScalePaths {
  readonly specReplicas: string
  readonly statusReplicas: string
  /** Where the label selector is, if anywhere: a map, a LabelSelector, or its text. */
  readonly selector?: string
}

/**
 * A kind that shows what another kind stores: an older version, or the same objects in another group.
 * Requests work on this kind's form; the store holds the other's. Both functions return fresh or shared
 * data and change nothing.
 */
export interface StorageForm {
  readonly resource: Resource
  readonly toStorage: (object: KubeObject) => KubeObject
  readonly fromStorage: (object: KubeObject) => KubeObject
  /** Where somebody else converts between versions: he is asked first, and the functions above get what he gave. */
  readonly convert?: (objects: readonly KubeObject[], to: Resource) => Promise<KubeObject[]>
}

/** What stands in place of a model where a kind was added at run time. Such kinds have no protobuf form. */
export interface CustomForm {
  /** A fresh object of what the schema specifies, and the paths of the rest. @throws ApiError BadRequest for metadata of wrong types */
  readonly decode: (value: unknown) => { object: Record<string, unknown>; unknownFields: string[] }
  /** How its fields are owned. */
  readonly shape: Shape
  /** Told to whoever uses this version. */
  readonly deprecationWarning?: string
  /** Its definition is being deleted: nothing is created any more. */
  readonly terminating: boolean
}

/** Whether the objects are stored in the form of this kind. */
export const storesOwnForm = ({ storage, resource }: Pick<KindDefinition, 'storage' | 'resource'>): boolean =>
  storage === undefined || storage.resource === resource

export interface KindDefinition<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>
  /** Where the objects are when another kind stores them. */
  readonly storage?: StorageForm
  /** The model in the schema, e.g. `V1Pod`; empty for custom resources. */
  readonly model: string
  readonly custom?: CustomForm
  /** `PodList` unless said otherwise. */
  readonly listKind?: string
  readonly singular: string
  /** The group that errors name where it is another than the resource's. */
  readonly errorGroup?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** All eight by default. */
  readonly verbs?: readonly Verb[]
  /** False: the server answers, nothing is kept. */
  readonly stored?: false
  /** Fills in what was left out, as Kubernetes does when it decodes. */
  readonly defaults?: (draft: T) => void
  /** Brings in what the functions below need and what a start must not wait for; awaited before each write. */
  readonly load?: () => Promise<void>
  /** Clears what a client may not set at creation (status, ...). */
  readonly prepareForCreate?: (draft: T) => void
  /** Keeps what an update may not touch (status, ...) and copies what it omits. The generation is the server's task: it counts up when anything outside metadata and status changed. */
  readonly prepareForUpdate?: (draft: T, old: T) => void
  readonly validate?: (object: T) => FieldError[]
  /** What is asked of new objects only. */
  readonly validateCreate?: (object: T) => FieldError[]
  /** Takes the place of `validate` on updates where what did not change is not checked again. */
  readonly validateUpdated?: (object: T, old: T) => FieldError[]
  readonly validateUpdate?: (object: T, old: T) => FieldError[]
  /** Named parts beside the object itself; `status` present means the subresource is served. */
  readonly subresources?: {
    readonly status?: SubresourceKind<T>
    readonly [name: string]: SubresourceKind<T> | undefined
  }
  readonly scale?: ScalePaths
  /** Subresources that are neither part of the object nor `scale`: streams, logs, bindings, tokens. Discovery lists them. */
  readonly connects?: readonly ConnectedSubresource[]
  /** The OpenAPI v3 schema of a custom resource; built-in kinds take theirs from the model. */
  readonly openApiSchema?: Readonly<Record<string, unknown>>
  /** Whether metadata.generation is kept; deployments count changes of their annotations too, kinds without a status of its own count everything but metadata. */
  readonly generation?: boolean | 'annotations-too' | 'status-too'
  readonly columns: readonly Column[]
  /** One cell for each column. `nowMs` is for ages. */
  readonly row: (object: T, nowMs: number) => Cell[]
  /** Values for field selectors, metadata.name and metadata.namespace excepted. */
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>
  /** Whether creation checks the name as DNS subdomain (default), label, RFC 1035 label, or a path segment. */
  readonly nameRule?: 'subdomain' | 'label' | 'label-1035' | 'path-segment'
  /** Finalizers need no domain, as with definitions of custom resources and with those themselves. */
  readonly anyFinalizer?: boolean
  /** Seconds that deletion waits by default (pods); 0 or undefined deletes at once. May look at the object. */
  readonly gracePeriodSeconds?: (object: T, requested: number | undefined) => number
  /** Changes the draft of an object whose deletion begins, for example to let it wait for a finalizer. */
  readonly prepareForDelete?: (draft: T, timestamp: string) => void
  /** What becomes of dependents when a delete request names no propagation policy. */
  readonly defaultPropagation?: 'Background' | 'Foreground' | 'Orphan'
  /** Warnings for the Warning header. */
  readonly warnings?: (object: T, old: T | undefined) => string[]
}

/** Erases the object type, so that kinds of every shape fit in one registry. */
export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): KindDefinition {
  return Object.freeze(definition) as unknown as KindDefinition
}
