import { Annotations, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { Alarms, ownMetric } from './alarms.ts';
import { Delivery } from './delivery.ts';
import { EventStreams, type EventStreamsProps } from './event-streams.ts';
import { FrontDoor } from './front-door.ts';
import { HttpFront } from './http-api.ts';
import { Ingest } from './ingest.ts';
import { MessageBodies } from './message-bodies.ts';
import { Page } from './page.ts';
import { PushFunctions } from './push-function.ts';
import { hasFunctionUrls, noFrontDoorIn } from './regions.ts';
import { Schedules } from './schedules.ts';
import { SocketApi } from './socket-api.ts';
import { STAGE_PROPS, type Stage } from './stage.ts';
import { Storage } from './storage.ts';
import { Workers } from './workers.ts';

export interface PushStackProps extends StackProps {
  readonly stage: Stage;
  /** Settings by environment variable, passed on to the functions that use them. */
  readonly settings: Settings;
  /** The systems that the bundles serve. */
  readonly systems: readonly System[];
  /** Folder with a bundle for each function. */
  readonly bundles: string;
}

/** The whole deployment. */
export class PushStack extends Stack {
  constructor(scope: Construct, id: string, { stage: name, settings, systems, bundles, ...props }: PushStackProps) {
    super(scope, id, props);
    const stage = STAGE_PROPS[name];
    const alarms = new Alarms(this, { settings });
    const functions = new PushFunctions(this, 'Functions', { settings, systems, bundles, stage });
    const storage = new Storage(this, 'Storage', { stage });
    const bodies = new MessageBodies(this, 'Bodies', { stage });
    const delivery = new Delivery(this, 'Delivery', { functions, storage, settings });
    const socket = new SocketApi(this, 'Socket', { functions, storage, delivery, settings });
    const ingest = new Ingest(this, 'Ingest', { functions, storage, delivery, socket, bodies, systems, settings });
    const http = new HttpFront(this, 'Http', { functions, storage, delivery, ingest, bodies, settings, stage });
    http.grantKeys(socket.connect);
    new Schedules(this, 'Schedules', { functions, storage, delivery, socket, systems });
    delivery.postThrough(socket);
    new Workers(this, 'Workers', { functions, storage, ingest, systems, settings, caller: socket.message });
    for (const system of systems)
      for (const [name, { metric, ...kind }] of Object.entries(system.alarms))
        alarms.raiseKind(name, '', kind, ownMetric(metric, 'minute'));
    const page = new Page(this, 'Page', { functions, http });
    const withFrontDoor = this.mayHaveFrontDoor(settings);
    const streams = this.streams(settings, { functions, storage, behindFrontDoor: withFrontDoor });
    const streamPaths = systems.flatMap(({ channels }) => channels.flatMap(({ http: form }) => form?.stream ?? []));

    if (withFrontDoor) {
      const { url } = new FrontDoor(this, 'FrontDoor', { socket, http, page, streams, streamPaths, settings, stage });
      new CfnOutput(this, 'Url', { value: url, description: 'The address of everything: /ws, /api, /internal, event streams, the page' });
    } else {
      new CfnOutput(this, 'SocketUrl', { value: socket.url, description: 'Clients connect here' });
      new CfnOutput(this, 'ApiUrl', { value: http.url, description: 'REST, and the page' });
      if (streams) {
        new CfnOutput(this, 'StreamUrl', { value: streams.functionUrl.url, description: 'Server-Sent Events' });
        new CfnOutput(this, 'StreamPaths', { value: streamPaths.join(','), description: 'Paths that a front door leads to StreamUrl' });
      }
    }
    alarms.dashboard();
    new CfnOutput(this, 'EventBusName', { value: ingest.bus.eventBusName, description: 'Upstreams put events here' });
    new CfnOutput(this, 'PublishKeySecret', {
      value: http.publishKeyArn,
      description: 'Secret with the key for POST /internal/events',
    });
  }

  /** Whether the front door is on. Where it cannot be, the synth says so. */
  private mayHaveFrontDoor(settings: Settings): boolean {
    if (settings[SETTING.frontDoor] !== 'on') return false;
    const reason = noFrontDoorIn(this.region);
    if (reason === null) return true;
    Annotations.of(this).addWarningV2('realtime-push:no-front-door', `${SETTING.frontDoor} is off: ${reason}`);
    return false;
  }

  /** The event streams; `null` if they are off, or the region has no function URLs: at the HTTP API they have their finite form. */
  private streams(settings: Settings, given: Omit<EventStreamsProps, 'settings'>): EventStreams | null {
    if (settings[SETTING.pushMode] === 'websocket') return null;
    if (hasFunctionUrls(this.region)) return new EventStreams(this, 'Streams', { ...given, settings });
    Annotations.of(this).addWarningV2(
      'realtime-push:no-function-urls',
      `${this.region} has no function URLs: there is no StreamUrl, and event streams have their finite form, at ApiUrl`,
    );
    return null;
  }
}
