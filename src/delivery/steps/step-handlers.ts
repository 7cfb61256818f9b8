// All kinds of steps.
import type { StepHandlers } from '../execution/step-handler.ts'
import { analyse } from './analyse.ts'
import { bring } from './bring.ts'
import { migrate } from './migrate.ts'
import { notify } from './notify.ts'
import { run } from './run.ts'
import { service } from './service.ts'

export const stepHandlers: StepHandlers = { bring, run, migrate, service, analyse, notify }
