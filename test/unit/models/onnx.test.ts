import { describe, expect, test } from 'vitest';
import { decodeModel, encodeModel } from '../../../src/models/onnx/proto.ts';
import { WireReader, WireWriter } from '../../../src/models/onnx/wire.ts';
import { tinyYolo } from '../../support/tiny-yolo.ts';

describe('the wire format', () => {
  test.each([0n, 1n, 127n, 128n, -1n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'carries the int64 %s',
    (value) => {
      const writer = new WireWriter();
      writer.int64(value);
      expect(new WireReader(writer.finish()).int64()).toBe(value);
    },
  );

  test('gives byte strings as views of the input', () => {
    const writer = new WireWriter();
    writer.bytes(Uint8Array.of(1, 2, 3));
    const file = writer.finish();
    expect(new WireReader(file).bytes().buffer).toBe(file.buffer);
  });

  test('refuses values that the message ends inside of', () => {
    expect(() => new WireReader(Uint8Array.of(0x80)).unsigned()).toThrow('ends inside');
    expect(() => new WireReader(Uint8Array.of(5, 1)).bytes()).toThrow('ends inside');
    expect(() => new WireReader(new Uint8Array(11).fill(0xff)).int64()).toThrow('too long');
  });
});

describe('decodeModel', () => {
  test('and encodeModel are each other in reverse', () => {
    const bytes = tinyYolo({ metadata: { names: "{0: 'ä'}" }, constants: 'nodes' });
    expect(Buffer.from(encodeModel(decodeModel(bytes))).equals(bytes)).toBe(true);
  });

  test('keeps fields that it does not know, at every level', () => {
    const node = new WireWriter();
    node.tag(4, 2);
    node.string('Relu');
    node.tag(99, 0);
    node.int64(7n);
    const graph = new WireWriter();
    graph.tag(1, 2);
    graph.message(node);
    const file = new WireWriter();
    file.tag(7, 2);
    file.message(graph);
    file.tag(20, 2);
    file.string('training');
    file.tag(21, 5);
    file.float(1.5);
    file.tag(22, 1);
    file.double(2.5);
    const bytes = file.finish();
    const model = decodeModel(bytes);
    expect(model.graph?.node[0]?.opType).toBe('Relu');
    expect(encodeModel(model)).toEqual(bytes);
  });

  test('reads repeated numbers packed and one by one', () => {
    const single = Uint8Array.of(0x08, 2, 0x08, 3);
    const packed = Uint8Array.of(0x0a, 2, 2, 3);
    const dims = [single, packed].map((tensor) => {
      const graph = new WireWriter();
      graph.tag(5, 2);
      graph.bytes(tensor);
      const file = new WireWriter();
      file.tag(7, 2);
      file.message(graph);
      return decodeModel(file.finish()).graph?.initializer[0]?.dims;
    });
    expect(dims).toEqual([
      [2, 3],
      [2, 3],
    ]);
  });

  test('refuses what is no message', () => {
    expect(() => decodeModel(new TextEncoder().encode('<!doctype html>'))).toThrow(RangeError);
  });
});
