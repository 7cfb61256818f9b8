// `$(NAME)` in commands, arguments and values: replaced when the name is known, left as it is otherwise;
// `$$(NAME)` escapes. Source: kubernetes third_party/forked/golang/expansion.

export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (valueOf(name) ?? whole),
  )
}
