// What makes an image of a folder: one for each language or way of building. A builder gives the layers of the
// service and says how it starts; what all images have in common (names, labels, list of contents, pushing) is done
// once, in build-image.ts. Builders never write into the service's folder, beyond what its own build script does.
import type { BaseImage } from './base/base-image.ts'
import type { ImageContent } from './image-content.ts'
import type { FileFilter } from './layers/docker-ignore.ts'
import type { LayerCache } from './layers/kept-layer.ts'
import type { BuilderName, BuildSettings } from './settings.ts'

export interface Builder {
  readonly name: BuilderName
  /** As people call what it builds: `Node.js`. */
  readonly title: string
  /** The files by which it knows a folder, for people: `go.mod`. */
  readonly looksFor: string
  /** The file by which it knows the folder, such as `go.mod`, or why else; undefined: it is none of its. */
  finds(directory: string, settings: BuildSettings): string | undefined
  /** How the project names itself. @throws BuildError when it cannot be read */
  describe(directory: string): ProjectName
  /** Files and folders that the image is made of, absolute; by default the folder itself. */
  inputs?(directory: string): readonly string[]
  /**
   * What the image depends on beside those, such as the compiler: changes with it. By default nothing.
   * @returns undefined: it cannot be known, and an image is made every time
   */
  surroundings?(directory: string, settings: BuildSettings): Promise<string | undefined>
  /** How changed sources come into a running container; undefined: each change makes another image. */
  development?(directory: string, settings: BuildSettings): Development
  /**
   * It awaits `lookedAt` before the project's own build writes into the folder; by default no image is begun before that.
   */
  readonly waitsByItself?: true
  /** @throws BuildError */
  build(context: BuildContext): Promise<ImageContent>
}

export interface Development {
  /** Folders whose files are in the image as they are here; where a build makes them, as it left them last. */
  readonly roots: () => readonly SourceRoot[]
  /** Absolute paths of files that change more of the image than themselves: lock files, lists of dependencies. */
  readonly making: readonly string[]
  /** What has to run on this machine before changed sources are what is started, one after the other. */
  readonly steps: readonly DevelopmentStep[]
}

export interface DevelopmentStep {
  readonly directory: string
  readonly command: readonly string[]
  /** Runs it, where the machine may have to be given the program first; by default it is there. */
  readonly run?: (context: Pick<BuildContext, 'cacheDirectory' | 'nodeBinary' | 'progress'>) => Promise<void>
}

export interface SourceRoot {
  /** Absolute path here. */
  readonly from: string
  /** Absolute path in the image. */
  readonly to: string
  /** Gets paths relative to `from`. */
  readonly filter: FileFilter
}

export interface ProjectName {
  /** As a repository is named, `team/web`; undefined: it has none. */
  readonly name: string | undefined
  readonly version: string | undefined
}

export interface BuildContext extends LayerCache {
  /** Absolute path of the service's folder. */
  readonly directory: string
  readonly settings: BuildSettings
  /** Below the service's layers; undefined: the builder begins with what this machine has. */
  readonly base: BaseImage | undefined
  /** `127.0.0.1:5000`: where images of the name `sampan.local/...` are. */
  readonly registry: string
  /** The Node.js that goes into images. */
  readonly nodeBinary: string
  /** Empty, and gone when the image is pushed. */
  readonly making: string
  /** User and group that the service's own files belong to: nobody who runs, unless files are changed in the container. */
  readonly owner: number
  /** Resolves when git has told how the folder is. */
  readonly lookedAt: Promise<unknown>
  /** Called as each part is done. */
  readonly progress: (step: string, cached: boolean) => void
}
