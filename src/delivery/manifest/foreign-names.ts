// What people call things who come from other tools, and what is written here instead.
import type { Fields } from './field.ts'

type Words = NonNullable<Fields['foreign']>

const each = (names: string, instead: string): Words =>
  Object.fromEntries(names.split(' ').map(name => [name, instead]))

export const inManifest: Words = {
  ...each('apiVersion kind metadata spec', 'this is no object of Kubernetes; a first line here is: name: shop'),
  ...each('port expose containerPort', 'write ports: { http: 3000 }'),
  ...each(
    'healthcheck healthCheck health_check livenessProbe readinessProbe startupProbe probes probe',
    'write health: { http: /healthz }',
  ),
  ...each('environment variables envFrom env_file', 'write env: { LOG_LEVEL: info }, or environments'),
  ...each('volumes configs mounts configMaps', 'write files: { /etc/shop/rules.json: ./rules.json }'),
  ...each('deploy scale instances replicaCount', 'write replicas: 2'),
  ...each('ingress hosts host domain proxy labels', 'write routes: [{ host: shop, path: / }]'),
  ...each('depends_on dependsOn needs links', 'write it as needs of the service in sampan.yml'),
  ...each('entrypoint args cmd run start', 'write command: node main.js'),
  ...each(
    'cron cronjobs cronJobs jobs tasks',
    'write schedules: { report: { cron: "15 6 * * 1-5", run: node report.js } }',
  ),
  ...each('services accessories database db', 'write one line for each, such as postgres: true'),
  ...each('mongodb', 'write mongo: true'),
  ...each('mariadb', 'write mysql: true'),
  ...each('amqp rabbit', 'write rabbitmq: true'),
  ...each('postgresql', 'write postgres: true'),
  ...each('minio bucket', 'write s3: true'),
  ...each('cpu memory limits requests', 'write resources: { cpu: 0.5, memory: 512Mi }'),
  ...each('migrations migration', 'write migrate: { up: node migrate.js up, down: node migrate.js down }'),
  ...each('initContainers hooks', 'write migrate or checks'),
  ...each('sidecar sidecarContainers extraContainers containers', 'write sidecars: { proxy: { image: envoy:1.30 } }'),
  ...each('version tag', 'leave it out; the version is said when it is delivered: sampan deploy shop:1.0.0'),
  ...each('builder dockerfile Dockerfile buildpack', 'write build: { dockerfile: Dockerfile }'),
  ...each('develop watch', 'write dev: { run: node --watch main.js }'),
  ...each('restart', 'leave it out; instances that end are always started again'),
  ...each('container_name service', 'write name: shop'),
  ...each('networks network', 'leave it out; services reach each other by their names'),
  ...each('terminationGracePeriodSeconds stop_grace_period stopTimeout', 'write stopSeconds: 30'),
  ...each('securityContext cap_add privileged', 'write security: { capabilities: [NET_BIND_SERVICE] }'),
  ...each('podDisruptionBudget pdb', 'write disruptionBudget: true'),
  ...each('affinity topologySpreadConstraints', 'write spread: true'),
  ...each('secret', 'write secrets: [PARTNER_TOKEN]'),
  ...each('servers registry engine context', 'it belongs into sampan.yml'),
  ...each('<<', 'an environment takes over another one with extends: test'),
}

export const inHealth: Words = {
  ...each('path httpGet url endpoint', 'write http: /healthz'),
  ...each('test cmd exec', 'write command: node healthy.js'),
  ...each('tcpSocket', 'write tcp: true'),
  ...each(
    'interval timeout retries start_period initialDelaySeconds periodSeconds timeoutSeconds failureThreshold',
    'leave it out; times are chosen so that starts are seen at once',
  ),
}

export const inSidecar: Words = {
  ...each('name', 'leave it out; its name stands before it: sidecars: { proxy: { image: envoy:1.30 } }'),
  ...each('environment variables', 'write env: { LOG_LEVEL: info }'),
  ...each('entrypoint args cmd run', 'write command: proxy --port 3000'),
  ...each('port ports expose containerPort', 'write it as one of the ports of the service, whose network it shares'),
  ...each(
    'healthcheck livenessProbe readinessProbe startupProbe',
    'write health: { http: /ready, port: proxy }, with the name of a port of the service',
  ),
  ...each('volumes configs mounts volumeMounts', 'write files: { /etc/proxy.yaml: ./proxy.yaml }'),
  ...each('securityContext cap_add privileged', 'write security: { capabilities: [NET_BIND_SERVICE] }'),
  ...each('cpu memory limits requests', 'write resources: { cpu: 0.5, memory: 512Mi }'),
}

export const inPort: Words = {
  ...each('containerPort targetPort target container internal', 'write port: 3000'),
  ...each('hostPort published external', 'write nodePort: 30080'),
}

export const inResources: Words = {
  ...each('limits requests reservations', 'write cpu: 0.5 and memory: 512Mi'),
  ...each('cpus', 'write cpu: 0.5'),
  ...each('mem_limit memoryLimit', 'write memory: 512Mi, which is reserved and the limit'),
}

export const inVariable: Words = {
  ...each('value', 'write the value behind the name: LOG_LEVEL: info'),
  ...each('valueFrom secretKeyRef', 'write { secret: NAME, key: KEY }'),
  ...each('configMapKeyRef', 'write { configMap: NAME, key: KEY }'),
}

export const inSecurity: Words = {
  ...each('runAsUser', 'write user: 1000'),
  ...each('runAsNonRoot runAsRoot privileged', 'write root: true, or nothing'),
  ...each('readOnlyRootFilesystem read_only', 'write readOnlyRoot: true'),
  ...each('add cap_add', 'write capabilities: [NET_BIND_SERVICE]'),
  ...each('drop cap_drop allowPrivilegeEscalation seccompProfile', 'leave it out; it is so by convention'),
}

export const inStrategy: Words = {
  ...each('type', 'write kind: canary'),
  ...each('rollingUpdate maxSurge maxUnavailable', 'leave it out; a rolling release replaces one instance at a time'),
  ...each('weights weight', 'write steps: [{ percent: 10, seconds: 30 }]'),
}

export const inService: Words = {
  ...each('version tag', 'write image: postgres:16'),
  ...each('storage volume', 'write size: 1Gi'),
  ...each('db name bucket vhost', 'write database: shop'),
  ...each('host url port user password', 'a server that exists already belongs under servers in sampan.yml'),
}

export const inRoute: Words = {
  ...each('hostname hosts domain domains', 'write host: shop'),
  ...each('prefix pathPrefix paths', 'write path: /api'),
  ...each('authentication authorization basicAuth basic_auth apiKey apiKeys', 'write auth: keys, basic, jwt or oidc'),
  ...each('jwt', 'write auth: jwt, or auth: { jwt: { issuer: https://login.example.com } }'),
  ...each(
    'oidc oauth oauth2 login sso',
    'write auth: oidc, or auth: { oidc: { issuer: https://login.example.com, clientId: shop } }',
  ),
  ...each('rate_limit limit limits throttle rateLimits ratelimit', 'write rateLimit: 100/m'),
  ...each('whitelist allowlist ipAllowList allowFrom ipRestriction', 'write allow: [10.0.0.0/8]'),
  ...each('blacklist denylist blocklist ipDenyList', 'write deny: [10.0.0.0/8]'),
  ...each('consumers users', 'write groups: [partners], which consumers are in'),
}

export const inAuth: Words = {
  ...each('keys key apiKey', 'write auth: keys'),
  ...each('basic password', 'write auth: basic'),
  ...each('issuer audiences audience token', 'write auth: { jwt: { issuer: https://login.example.com } }'),
  ...each(
    'clientId client_id clientSecret login oauth2',
    'write auth: { oidc: { issuer: https://login.example.com, clientId: shop } }',
  ),
  ...each('type kind', 'write auth: keys, basic, jwt or oidc'),
}

export const inTokens: Words = {
  ...each('audience aud', 'write audiences: [shop]'),
  ...each('iss', 'write issuer: https://login.example.com'),
  ...each('jwks keysRef secret', 'write keys: NAME, of a Secret with jwks.json'),
  ...each('jwks_uri jwksUrl jwksURI', 'write jwksUri: https://login.example.com/keys'),
  ...each('requiredClaims scopes', 'write claims: { role: [admin] }'),
}

export const inLogins: Words = {
  ...each('client_id clientID client', 'write clientId: shop'),
  ...each('client_secret secret clientSecretRef', 'write clientSecret: NAME, of a secret of the environment'),
  ...each('scope', 'write scopes: [groups]'),
  ...each('groups', 'write groups: [staff] beside auth: oidc'),
  ...each('redirectUri redirect_uri callback', 'leave it out: the provider has to know https://HOST/oauth2/callback'),
}

export const inSchedule: Words = {
  ...each('schedule interval', 'write every: PT30M or cron: "15 6 * * 1-5"'),
  ...each('command cmd script', 'write run: node report.js'),
  ...each('concurrencyPolicy concurrency', 'write overlap: true, or nothing'),
  ...each('timeout activeDeadlineSeconds', 'write timeLimit: PT10M'),
  ...each('backoffLimit', 'write retries: 2'),
}

export const inTeam: Words = {
  ...each('name', 'it belongs into app.yml'),
  ...each('replicas env ports resources', 'it belongs into the app.yml of a service'),
  ...each('clusters cluster kubeContext', 'write context: NAME of the kubeconfig'),
  ...each('webhooks notifications notify', 'write hooks: { team-hook: https://chat.example.com/hook }'),
  ...each('apps applications', 'write services: { shop: { path: ./shop } }'),
  ...each('users recipients members', 'write people: { anna: age1... }'),
  ...each(
    'databases postgres mysql redis',
    'write servers: { postgres: { host: db.example.com, user: admin, password: DB_PASSWORD } }',
  ),
  ...each('<<', 'an environment takes over another one with extends: test'),
}

export const inBuild: Words = {
  ...each('context', 'leave it out; the folder of app.yml is built'),
  ...each('builder type', 'write with: node'),
  ...each('image from', 'write base: debian:12-slim'),
  ...each('file', 'write dockerfile: Dockerfile'),
  ...each('buildArgs build_args build-args arguments', 'write args: { VERSION: "1" }'),
  ...each('apt aptPackages', 'write packages: [libvips42]'),
  ...each('command script', 'write run: make'),
  ...each('cmd entrypoint', 'write start: ./server'),
  ...each('tags tag', 'leave it out; write sampan build --tag shop:1.0.0'),
}

export const inDev: Words = {
  ...each('command start', 'write run: node --watch main.js'),
  ...each('watch restart', 'write reload: self where the process reloads by itself'),
  ...each('sync', 'leave it out; what goes into the image is brought to the container'),
}
