import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Status } from '../../protocol/local-api/status.ts';
import type { DrawnPlaces } from '../live/overlay.ts';
import { call } from './client.ts';

/** Often enough for what is not told live. */
const STATUS_MS = 2000;

export function useStatus(): UseQueryResult<Status> {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => call('GET /api/status', { signal }),
    refetchInterval: STATUS_MS,
  });
}

const NO_PLACES: DrawnPlaces = { zones: [], lines: [] };

/** What is drawn over the pictures of a camera; nothing until it is known. */
export function usePlaces(cameraId: string): DrawnPlaces {
  const { data } = useQuery({
    queryKey: ['zones', cameraId],
    queryFn: () => call('GET /api/cameras/:camera_id/zones', { path: { camera_id: cameraId } }),
    staleTime: 60_000,
  });
  if (data === undefined) return NO_PLACES;
  const coordinates = (places: Readonly<Record<string, { coordinates: string }>>): string[] =>
    Object.values(places).map((place) => place.coordinates);
  return { zones: coordinates(data.zones), lines: coordinates(data.lines) };
}
