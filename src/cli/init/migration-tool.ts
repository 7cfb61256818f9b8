// How a service changes the schema of its database, as the tools of the field are started without a shell and npm.
import { packageOf, type Dependencies } from './dependencies.ts'
import type { ServiceFolder } from './service-folder.ts'

export interface MigrationGuess {
  readonly up: string
  readonly down?: string
  readonly because: string
  /** What is to be seen to. */
  readonly note?: string
}

/** Started by Node.js from where npm puts them. */
const ofNode: Readonly<Record<string, { readonly up: string; readonly down?: string }>> = {
  knex: {
    up: 'node node_modules/knex/bin/cli.js migrate:latest',
    down: 'node node_modules/knex/bin/cli.js migrate:rollback',
  },
  prisma: { up: 'node node_modules/prisma/build/index.js migrate deploy' },
  'node-pg-migrate': {
    up: 'node node_modules/node-pg-migrate/bin/node-pg-migrate.js up',
    down: 'node node_modules/node-pg-migrate/bin/node-pg-migrate.js down',
  },
  'db-migrate': {
    up: 'node node_modules/db-migrate/bin/db-migrate up',
    down: 'node node_modules/db-migrate/bin/db-migrate down',
  },
  'sequelize-cli': {
    up: 'node node_modules/sequelize-cli/lib/sequelize db:migrate',
    down: 'node node_modules/sequelize-cli/lib/sequelize db:migrate:undo',
  },
}

export function migrationOf(folder: ServiceFolder, dependencies: Dependencies): MigrationGuess | undefined {
  const tool = Object.keys(ofNode).find(name => dependencies.from.has(name))
  if (tool !== undefined)
    return {
      ...ofNode[tool]!,
      because: `${tool} in ${dependencies.from.get(tool)}`,
      ...(dependencies.development.has(tool) && {
        note: `${tool} is a devDependency, and those are not in the image: move it to dependencies`,
      }),
    }
  if (folder.files.has('alembic.ini') || dependencies.from.has('alembic'))
    return { up: 'alembic upgrade head', down: 'alembic downgrade -1', because: 'alembic' }
  if (folder.files.has('manage.py') && dependencies.from.has('django'))
    return { up: 'python manage.py migrate', because: 'manage.py' }
  return ofScripts(folder)
}

/** Scripts of package.json that Node.js runs by itself. */
function ofScripts(folder: ServiceFolder): MigrationGuess | undefined {
  const scripts = packageOf(folder).scripts ?? {}
  const script = (...names: string[]): string | undefined =>
    names.find(name => /^node [^&|;<>$`*]+$/.test(String(scripts[name] ?? '')))
  const up = script('migrate:up', 'migrate', 'db:migrate')
  if (up === undefined) return undefined
  const down = script('migrate:down', 'migrate:undo', 'db:rollback')
  return {
    up: scripts[up]!,
    ...(down !== undefined && { down: scripts[down]! }),
    because: `the script "${up}" in package.json`,
  }
}
