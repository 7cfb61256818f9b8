// Distance along the surface of the Earth, taken as a sphere (haversine formula).

export interface Point {
  readonly latitude: number
  readonly longitude: number
}

/** Mean radius of the Earth (IUGG). */
const earthRadiusKm = 6371.0088

const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** @throws RangeError for a point that is not on the Earth */
export function greatCircleKm(from: Point, to: Point): number {
  for (const { latitude, longitude } of [from, to]) {
    if (!(Math.abs(latitude) <= 90) || !(Math.abs(longitude) <= 180))
      throw new RangeError(
        `expected a latitude within 90 and a longitude within 180 degrees, found ${latitude}, ${longitude}`,
      )
  }
  const halfLatitude = Math.sin(radians(to.latitude - from.latitude) / 2)
  const halfLongitude = Math.sin(radians(to.longitude - from.longitude) / 2)
  const chord =
    halfLatitude ** 2 + Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * halfLongitude ** 2
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(chord)))
}
