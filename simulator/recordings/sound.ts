/** Sound that is made up as it is asked for: nobody's words are ever in it. */

/** A recording of hours must not make a file of hours here. */
const MOST_SECONDS = 60;

const WAV_RATE = 8_000;

/** A quiet tone: 16 bit, mono, 8 kHz, as telephones have it. */
export function wav(seconds: number): Buffer {
  const samples = Math.max(1, Math.min(seconds, MOST_SECONDS)) * WAV_RATE;
  const file = Buffer.alloc(44 + samples * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // one channel
  file.writeUInt32LE(WAV_RATE, 24);
  file.writeUInt32LE(WAV_RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let n = 0; n < samples; n += 1) {
    file.writeInt16LE(Math.round(2_000 * Math.sin((2 * Math.PI * 440 * n) / WAV_RATE)), 44 + n * 2);
  }
  return file;
}

/** MPEG 1, layer III, 32 kbit/s, 44.1 kHz, mono: its frames are 104 bytes long and hold 1,152 samples. */
const MP3_HEADER = Buffer.from([0xff, 0xfb, 0x10, 0xc4]);
const FRAME_BYTES = 104;
const FRAMES_A_SECOND = 44_100 / 1_152;

/** Silence: a frame whose side information is all zeros has no sound in it. */
export function mp3(seconds: number): Buffer {
  const frames = Math.ceil(Math.max(1, Math.min(seconds, MOST_SECONDS)) * FRAMES_A_SECOND);
  const file = Buffer.alloc(frames * FRAME_BYTES);
  for (let n = 0; n < frames; n += 1) MP3_HEADER.copy(file, n * FRAME_BYTES);
  return file;
}
