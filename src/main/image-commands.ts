// `sampan images ...`: what is in the registry of the cluster.
import type { Command } from 'commander'
import { askedHere, contextNameOption, contextOption, outputOption } from './command-options.ts'

export function addImageCommands(program: Command): void {
  const images = program.command('images').description('images in the registry of the cluster')
  const command = (name: string, description: string) =>
    images
      .command(name)
      .description(description)
      .option('--registry <host:port>', 'registry on this machine (default: that of the cluster)')
      .addOption(contextOption())
      .addOption(contextNameOption())
      .addOption(outputOption())

  command('list', 'list images with their tags').action(async options =>
    (await import('../cli/commands/images.ts')).listImages(askedHere(options)),
  )
  command('inspect', 'show what an image is made of, and what is known about it')
    .argument('<image>', 'NAME:TAG or NAME@DIGEST; NAME where there is one tag')
    .action(async (image, options) =>
      (await import('../cli/commands/images.ts')).inspectImage(image, askedHere(options)),
    )
  command('import', 'take images of a file in: of docker save, podman save, or an OCI layout as tar')
    .argument('<file>', 'the archive; may be packed with gzip or zstd')
    .option('-t, --tag <name:version>', 'name of the one image that is in it (default: as the archive calls it)')
    .action(async (file, options) =>
      (await import('../cli/commands/images.ts')).importArchive(file, askedHere(options)),
    )
  command('export', 'write images to a file that docker load, podman, skopeo and containerd read')
    .usage('[options] <image...> <file>')
    .argument('<image-and-file...>', 'NAME:TAG, several if wanted, and the file to write')
    .action(async (texts, options) =>
      (await import('../cli/commands/images.ts')).exportArchive(texts, askedHere(options)),
    )
  command('rm', 'take tags away, or with NAME@DIGEST images with all their tags')
    .argument('<image...>', 'NAME:TAG or NAME@DIGEST')
    .action(async (texts, options) =>
      (await import('../cli/commands/images.ts')).removeImages(texts, askedHere(options)),
    )
  command(
    'prune',
    'free the space of images that have no tag and that no pod and no kept release uses, and of what builds do not use',
  )
    .option('--dry-run', 'say what would go, and how much that is')
    .action(async options => {
      const [{ pruneImages }, { placesOf }] = await Promise.all([
        import('../cli/commands/images.ts'),
        import('./data-directory.ts'),
      ])
      return pruneImages({ ...askedHere(options), imageCache: placesOf('sampan', undefined).imageCache })
    })
}
