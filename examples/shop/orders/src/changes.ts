// The changes of the schema, oldest first. One that was delivered is never edited; a new one goes to the end.
interface Change {
  readonly up: string
  readonly down: string
}

export const changes: readonly Change[] = [
  {
    up: 'create table orders (id serial primary key, article text not null, at timestamptz not null default now())',
    down: 'drop table orders',
  },
]
