import { rename, writeFile } from 'node:fs/promises'

/** Whoever reads the file meanwhile sees what was there before, or all of it. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`
  await writeFile(temporary, text)
  await rename(temporary, file)
}
