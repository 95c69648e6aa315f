/** The templates of webhooks: those of this folder, and those of the folder that WEBHOOK_TEMPLATES names. */
import { readTemplates } from '../webhooks/template.ts';
import { FILES } from './own.ts';
import poscoNewsAlert from './posco_news_alert.json' with { type: 'json' };

export const TEMPLATES = readTemplates({ posco_news_alert: poscoNewsAlert, ...FILES });
