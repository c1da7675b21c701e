import express, { Router } from 'express';
import { refuseStrangers } from '../loopback';
import { SnsTopic } from './topic';

/**
 * An SNS beside Twilio: its certificate, the address that takes confirmations, and, for this machine alone, a pen:
 * `POST /simulator/sns-messages` signs the fields it is given and answers them whole. It sends nothing by itself.
 * @param origin of the simulator
 */
export function createSnsApi(origin: string): Router {
  const topic = new SnsTopic();
  const router = Router();
  router.get(topic.certificatePath, (_req, res) => void res.type('application/x-pem-file').send(topic.certificate));
  router.get('/', (req, res, next) => {
    if (req.query['Action'] === 'ConfirmSubscription') res.type('xml').send('<ConfirmSubscriptionResponse/>');
    else next();
  });
  router.post('/simulator/sns-messages', refuseStrangers, express.json({ limit: '256kb' }), (req, res) => {
    const given: unknown = req.body;
    const fields = Object.entries(typeof given === 'object' && given !== null ? given : {});
    if (fields.length === 0 || !fields.every((field): field is [string, string] => typeof field[1] === 'string')) {
      res.status(400).json({ message: 'Fields of an SNS message are expected, each of them a text.' });
      return;
    }
    res.status(201).json(topic.signed(origin, Object.fromEntries(fields)));
  });
  return router;
}
