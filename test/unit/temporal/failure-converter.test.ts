import { randomBytes } from 'node:crypto';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import {
  decodeOptionalFailureToOptionalError,
  encodeErrorToFailure,
} from '@temporalio/common/lib/internal-non-workflow';
import { failureConverter } from '../../../temporal/failure-converter';
import { createPayloadCodec } from '../../../temporal/payload-codec';

const MARKED = '+14155550123';

describe('failures in a history', () => {
  const payloadCodecs = [createPayloadCodec([{ version: 1, key: randomBytes(32) }])];
  const converter = { payloadConverter: defaultPayloadConverter, failureConverter, payloadCodecs };
  const failing = () =>
    ApplicationFailure.create({
      message: `could not ring ${MARKED}`,
      type: 'DispatchRefused',
      details: [{ to: MARKED }],
      cause: new Error(`the line to ${MARKED} is closed`),
    });

  it('hold no message, stack or detail in plain text, not even of their cause', async () => {
    const written = JSON.stringify(await encodeErrorToFailure(converter, failing()), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    expect(written).toContain('Encoded failure');
    expect(written).not.toContain('5550123');
    expect(written).not.toContain('failure-converter.test');
  });

  it('come back whole to those who hold the key', async () => {
    const back = await decodeOptionalFailureToOptionalError(
      converter,
      await encodeErrorToFailure(converter, failing()),
    );
    expect(back).toMatchObject({ message: `could not ring ${MARKED}`, type: 'DispatchRefused' });
    expect(back?.stack).toContain('failure-converter.test');
  });
});
