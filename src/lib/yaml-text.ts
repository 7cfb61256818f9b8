// YAML as Kubernetes' programs read it: they know YAML 1.1, where `on`, `0x1f` and `1_000` without quotes are no text. What
// occurs twice is written twice, for people to change one of both.
import { stringify } from 'yaml'

export const yamlText = (value: unknown): string =>
  stringify(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false })
