// What requests and connections come to: packets are led by the kernel, and no request comes by them. Pure.
import type { GatewayModel } from './model.ts'

export const withoutPackets = (model: GatewayModel): GatewayModel => ({
  ...model,
  entrances: model.entrances.filter(({ carries }) => carries !== 'packets'),
  backends: new Map([...model.backends].filter(([, { protocol }]) => protocol !== 'udp')),
})
