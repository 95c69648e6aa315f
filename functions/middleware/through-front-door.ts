import { timingSafeEqual } from 'node:crypto';
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { PushError } from '../../core/errors.ts';
import { FRONT_DOOR_HEADER } from '../../core/names.ts';
import { digest } from '../adapters/digest.ts';
import { headerOf } from '../adapters/events.ts';

type Headed = Parameters<typeof headerOf>[0];

/** Refuses a request that did not come through the front door: it would be past its limits and its logs. @param key `null` = there is none */
export function throughFrontDoor(key: string | null): MiddlewareObj<Headed, unknown, Error, Context> {
  if (key === null) return { before: () => undefined };
  const wanted = digest(key);
  return {
    before: ({ event }) => {
      const given = headerOf(event, FRONT_DOOR_HEADER.originKey);
      if (given !== null && timingSafeEqual(digest(given), wanted)) return;
      throw new PushError('PERMISSION_DENIED', 'this address is behind a front door: use the address that the deployment gives as Url');
    },
  };
}
