// Gets the certificates that the gateway wants of issuers: one issuer after its own plan, names of different domains side by
// side. All that it knows stands in Secrets and in the issuers' statuses.
import { createHash } from 'node:crypto'
import type { CertificateIssuer, IssuedCertificate, OpenChallenge } from '../../api/gateway-api/certificate-issuers.ts'
import { certificateIssuers } from '../../api/gateway-api/resources.ts'
import { secrets } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../control/event-recorder.ts'
import { unlessNotFound } from '../../control/removal.ts'
import { WorkQueue, type Outcome } from '../../control/work-queue.ts'
import { formatTime, type Clock } from '../../lib/clock.ts'
import { errorText } from '../../lib/error-text.ts'
import type { Logger } from '../../lib/logger.ts'
import { acmeClient, type AcmeClient } from '../acme/acme-client.ts'
import { newKey } from '../acme/certificate-request.ts'
import { authorityAsker } from '../acme/request.ts'
import { accountKey } from '../acme/signing.ts'
import { certificateOf } from '../model/certificate-of.ts'
import { ingressHost } from '../model/host-names.ts'
import { issuerLookup, type WantedCertificate } from '../model/issuer-lookup.ts'
import { AttemptFailed, failureOf } from './attempt-failed.ts'
import { afterFailure, afterSuccess, certificatePlan } from './certificate-plan.ts'
import { dnsCommand } from './dns-command.ts'
import { failureText, issuerFinding, readyCondition } from './issuer-status.ts'
import { accountKeyIn, heldTexts, keepCertificate, orderPlaces, serverOf } from './issuer-secrets.ts'
import { orderCertificate, type Prover } from './order-certificate.ts'

export interface CertificatesOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly recorder: EventRecorder
  /** A program of the machine; undefined: there is none. */
  readonly dnsCommand: string | undefined
  /** Resolves when challenges that stand in statuses are answered. */
  readonly answered: () => Promise<void>
}

export interface Certificates {
  /** All that are wanted by now. */
  want(wanted: readonly WantedCertificate[]): void
  /** What people should know. */
  warnings(): readonly string[]
  stop(): Promise<void>
}

interface IssuerMemory {
  readonly uid: string | undefined
  certificates: readonly IssuedCertificate[]
  challenges: readonly OpenChallenge[]
  /** One write after the other. */
  turn: Promise<void>
  /** URL. */
  account: string | undefined
  acme?: { readonly settings: string; readonly client: AcmeClient }
}

/** Of one issuer: each may run a program of the machine. */
const attemptsAtOnce = 10
/** However long nothing is due: clocks are put right. */
const longestRestMs = 3_600_000

export function startCertificates(options: CertificatesOptions): Certificates {
  const { client, clock, logger, recorder } = options
  const memories = new Map<string, IssuerMemory>()
  let wanted: ReadonlyMap<string, readonly WantedCertificate[]> = new Map()
  let seen = ''
  let isStopped = false
  const queue = new WorkQueue({
    clock,
    concurrency: 4,
    work: reconcile,
    initialBackOffMs: 1_000,
    failed: (issuer, error) => logger.warn('an issuer could not be looked at', { issuer, error: errorText(error) }),
  })
  const unsubscribe = client.informer(certificateIssuers).subscribe(({ type, object, old }) => {
    if (type !== 'MODIFIED' || old.metadata.generation !== object.metadata.generation) queue.add(object.metadata.name)
  })

  async function reconcile(name: string): Promise<Outcome> {
    const issuer = client.informer(certificateIssuers).get({ name })
    if (issuer === undefined) {
      memories.delete(name)
      return 'done'
    }
    const memory = memoryOf(issuer)
    const all = wanted.get(name) ?? []
    const plan = planFor(issuer, memory, all)
    memory.certificates = plan.certificates
    if (plan.due.length === 0) memory.challenges = []
    await publish(issuer, memory)
    if (plan.due.length === 0) return { requeueAfterMs: Math.min(plan.lookAgainMs ?? longestRestMs, longestRestMs) }
    // Those whose proofs have the same name are not proven at the same time.
    const groups = Map.groupBy(plan.due, domain => domain.replace(/^\*\./, '')).values()
    await Promise.all(
      Array.from({ length: attemptsAtOnce }, async () => {
        for (const domains of groups)
          for (const domain of domains) if (!isStopped) await attempt(issuer, memory, domain)
      }),
    )
    return { requeueAfterMs: 1 }
  }

  /** Secrets are looked at as they are now, not as they were when they were wanted. */
  function planFor(issuer: CertificateIssuer, { certificates }: IssuerMemory, all: readonly WantedCertificate[]) {
    const { metadata, spec } = issuer
    const states = all.map(({ domain, secret }) => ({
      domain,
      secretName: secret.name,
      found: certificateOf(secret, client.informer(secrets).get(secret), clock.now()),
      server: serverOf(client, secret.name),
    }))
    const { server } = spec.acme
    const before = certificates.filter(({ domain }) => spec.domains.includes(domain))
    return certificatePlan(states, before, {
      server,
      generation: Number(metadata.generation ?? 0),
      nowMs: clock.now(),
    })
  }

  function memoryOf({ metadata: { name, uid }, status }: CertificateIssuer): IssuerMemory {
    const known = memories.get(name)
    if (known !== undefined && known.uid === uid) return known
    const memory: IssuerMemory = {
      uid,
      certificates: status?.certificates ?? [],
      challenges: [],
      account: status?.acme?.uri,
      turn: Promise.resolve(),
    }
    memories.set(name, memory)
    return memory
  }

  async function attempt(issuer: CertificateIssuer, memory: IssuerMemory, domain: string): Promise<void> {
    const { name } = issuer.metadata
    const { server } = issuer.spec.acme
    const { secretName } = memory.certificates.find(each => each.domain === domain)!
    const places = orderPlaces(client, secretName, server)
    try {
      const acme = await acmeOf(issuer, memory)
      memory.account = await acme.account()
      const certificate = await orderCertificate({
        acme,
        domain,
        places,
        prover: proverFor(issuer, memory),
        sleep,
        now: () => clock.now(),
      })
      await keepCertificate(client, secretName, { issuer: name, server, certificate })
      await places.forget()
      memory.certificates = changed(memory.certificates, domain, before => afterSuccess(before, clock.now()))
      await publish(issuer, memory)
      logger.info('a certificate was got', { issuer: name, domain })
      recorder.recordEvent(issuer, 'Normal', 'Issued', `a certificate for ${domain} was got`)
    } catch (error) {
      if (isStopped) return
      const failure = failureOf(error)
      memory.certificates = changed(memory.certificates, domain, before => afterFailure(before, failure, clock.now()))
      logger.warn('a certificate could not be got', { issuer: name, domain, ...failure })
      const failed = memory.certificates.find(each => each.domain === domain)!
      recorder.recordEvent(issuer, 'Warning', failure.reason, failureText(failed, clock.now()))
      await publish(issuer, memory)
    }
  }

  async function acmeOf(issuer: CertificateIssuer, memory: IssuerMemory): Promise<AcmeClient> {
    const { metadata, spec } = issuer
    const { server, email, caBundle, privateKeySecretRef, externalAccountBinding: bound } = spec.acme
    const keyName = privateKeySecretRef?.name ?? `${metadata.name}-account-key`
    const key = await accountKeyIn(client, keyName, newKey)
    const secret = bound && heldTexts(client, bound.keySecretRef.name)?.[bound.keySecretRef.key]
    if (bound !== undefined && secret === undefined)
      throw new Error(`there is no ${bound.keySecretRef.key} in the Secret "${bound.keySecretRef.name}" of kube-system`)
    const settings = JSON.stringify([key, server, email, caBundle, bound, secret])
    if (memory.acme?.settings !== settings) {
      const authorities = caBundle && Buffer.from(caBundle, 'base64').toString()
      memory.acme = {
        settings,
        client: acmeClient(
          server,
          accountKey(key),
          { email, binding: bound && { keyId: bound.keyID, secret: secret! } },
          authorityAsker(authorities),
        ),
      }
    }
    return memory.acme.client
  }

  function proverFor(issuer: CertificateIssuer, memory: IssuerMemory): Prover {
    const { dns01 } = issuer.spec.acme.solver
    if (dns01 !== undefined) {
      const record = (host: string): string => `_acme-challenge.${host}`
      const value = (keyAuthorization: string): string =>
        createHash('sha256').update(keyAuthorization).digest('base64url')
      return {
        type: 'dns-01',
        async open(host, { keyAuthorization }) {
          await dnsCommand(options.dnsCommand, 'add', record(host), value(keyAuthorization))
          await sleep(dns01.propagationSeconds * 1_000)
        },
        // What is left there by a program that fails does no harm.
        close: (host, { keyAuthorization }) =>
          dnsCommand(options.dnsCommand, 'remove', record(host), value(keyAuthorization)).catch((error: unknown) =>
            logger.warn('a record in DNS was left', { error: errorText(error) }),
          ),
      }
    }
    return {
      type: 'http-01',
      async open(host, proof) {
        memory.challenges = [...memory.challenges, { host, ...proof }]
        await publish(issuer, memory)
        await options.answered()
      },
      async close(host, { token }) {
        memory.challenges = memory.challenges.filter(each => each.host !== host || each.token !== token)
        if (!isStopped) await publish(issuer, memory)
      },
    }
  }

  /** Nobody else writes these statuses. */
  function publish(issuer: CertificateIssuer, memory: IssuerMemory): Promise<void> {
    const done = memory.turn.then(() => write(issuer.metadata.name, memory))
    memory.turn = done.catch(() => {})
    return done
  }

  async function write(name: string, { uid, certificates, challenges, account }: IssuerMemory): Promise<void> {
    const now = client.informer(certificateIssuers).get({ name })
    if (now === undefined || now.metadata.uid !== uid) return
    const nowMs = clock.now()
    const domains = new Set(wanted.get(name)?.map(({ domain }) => domain))
    const ofHosts = certificates.filter(({ domain }) => domains.has(domain))
    const status = {
      conditions: [readyCondition(now, issuerFinding(ofHosts, takenFrom(now), nowMs), formatTime(nowMs))],
      certificates,
      challenges,
      ...(account !== undefined && { acme: { uri: account } }),
    }
    if (sameJson(status, now.status ?? {})) return
    await unlessNotFound(
      client.patch(certificateIssuers, { name }, { type: 'merge', value: { status } }, { subresource: 'status' }),
    )
  }

  /** Domains of it that an older one has. */
  function takenFrom({ metadata: { name }, spec }: CertificateIssuer): readonly string[] {
    const issuerOf = issuerLookup(client.informer(certificateIssuers).list())
    return spec.domains.filter(domain => issuerOf(ingressHost(domain))?.issuer.metadata.name !== name)
  }

  const sleep = (delayMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isStopped) reject(new AttemptFailed('Failed', 'the server is being stopped'))
      else
        clock.after(delayMs, () =>
          isStopped ? reject(new AttemptFailed('Failed', 'the server is being stopped')) : resolve(),
        )
    })

  return {
    want(all) {
      const text = JSON.stringify(
        all.map(({ issuer, domain, found }) => [issuer.metadata.name, domain, stateOf(found)]),
      )
      if (text === seen) return
      seen = text
      // What is wanted is known from now on.
      queue.start()
      wanted = Map.groupBy(all, ({ issuer }) => issuer.metadata.name)
      for (const { metadata } of client.informer(certificateIssuers).list()) queue.add(metadata.name)
    },
    warnings: () =>
      [...memories.values()].flatMap(({ certificates }) =>
        certificates.filter(({ message }) => message !== undefined).map(each => failureText(each, clock.now())),
      ),
    async stop() {
      isStopped = true
      unsubscribe()
      // What is under way is gone on with by whoever comes next.
      await Promise.race([queue.stop(), new Promise<void>(resolve => void clock.after(2_000, resolve))])
      await recorder.flush()
    },
  }
}

const stateOf = (found: WantedCertificate['found']): unknown =>
  'problem' in found ? found.problem : [found.validFromMs, found.expiresAtMs, found.names]

const changed = (
  all: readonly IssuedCertificate[],
  domain: string,
  change: (before: IssuedCertificate) => IssuedCertificate,
): readonly IssuedCertificate[] => all.map(each => (each.domain === domain ? change(each) : each))
