import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { SETTING } from '../core/names.ts';
import { Delivery } from './delivery.ts';
import { EventStreams } from './event-streams.ts';
import { HttpFront } from './http-api.ts';
import { Ingest } from './ingest.ts';
import { MessageBodies } from './message-bodies.ts';
import { PushFunctions } from './push-function.ts';
import { Schedules } from './schedules.ts';
import { SocketApi } from './socket-api.ts';
import { Storage } from './storage.ts';

export interface PushStackProps extends StackProps {
  /** Settings by environment variable name, passed on to the functions that use them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Folder with a bundle a function. */
  readonly bundles: string;
}

/** The whole system: publish → bus → queue → ingest → fan-out → socket. */
export class PushStack extends Stack {
  constructor(scope: Construct, id: string, { settings, bundles, ...props }: PushStackProps) {
    super(scope, id, props);
    const functions = new PushFunctions(this, 'Functions', { settings, bundles });
    const storage = new Storage(this, 'Storage');
    const bodies = new MessageBodies(this, 'Bodies');
    const delivery = new Delivery(this, 'Delivery', { functions, storage });
    const socket = new SocketApi(this, 'Socket', { functions, storage, delivery });
    const ingest = new Ingest(this, 'Ingest', { functions, storage, delivery, socket, bodies });
    const http = new HttpFront(this, 'Http', { functions, storage, ingest, bodies });
    new Schedules(this, 'Schedules', { functions, storage, delivery, socket });
    delivery.speakThrough(socket);
    const streams = settings[SETTING.pushMode] === 'websocket' ? null : new EventStreams(this, 'Streams', { functions, storage, settings });

    new CfnOutput(this, 'SocketUrl', { value: socket.url, description: 'Clients connect here' });
    new CfnOutput(this, 'ApiUrl', { value: http.url, description: 'REST' });
    if (streams) new CfnOutput(this, 'StreamUrl', { value: streams.url, description: 'Server-Sent Events' });
    new CfnOutput(this, 'EventBusName', { value: ingest.bus.eventBusName, description: 'Upstreams put events here' });
    new CfnOutput(this, 'PublishKeySecret', { value: http.publishKey.secretName, description: 'Holds the key for POST /internal/events' });
  }
}
