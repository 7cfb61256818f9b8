// Where the user's own files are. A user whom the machine's list does not name, as in many containers, and who
// has no HOME has the root folder, as login has it.
import { homedir } from 'node:os'

export function homeFolder(lookUp: () => string = homedir): string {
  try {
    return lookUp()
  } catch {
    return '/'
  }
}
