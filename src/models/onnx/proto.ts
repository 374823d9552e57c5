import { decodeMessage, encodeMessage, type Message, type MessageSpec } from './message.ts';

/**
 * The messages of an ONNX file, as far as editing a graph needs them. Field numbers are those of onnx.proto:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

/** TensorProto.DataType */
export const TENSOR_FLOAT = 1;
export const TENSOR_UINT8 = 2;
export const TENSOR_INT64 = 7;
export const TENSOR_FLOAT16 = 10;

/** AttributeProto.AttributeType */
export const ATTRIBUTE_INT = 2;
export const ATTRIBUTE_STRING = 3;
export const ATTRIBUTE_INTS = 7;

export interface TensorProto extends Message {
  dims: number[];
  dataType?: number;
  floatData: number[];
  int32Data: number[];
  int64Data: bigint[];
  name?: string;
  /** Little-endian values; a view of the file. */
  rawData?: Uint8Array;
  /** 1 when the values are in another file. */
  dataLocation?: number;
}

export interface AttributeProto extends Message {
  name?: string;
  f?: number;
  i?: bigint;
  s?: Uint8Array;
  t?: TensorProto;
  floats: number[];
  ints: bigint[];
  type?: number;
}

export interface NodeProto extends Message {
  input: string[];
  output: string[];
  name?: string;
  opType: string;
  attribute: AttributeProto[];
  domain?: string;
}

export interface Dimension extends Message {
  value?: number;
  /** Name of a dimension that is only known at run time. */
  param?: string;
}

export interface ValueInfoProto extends Message {
  name?: string;
  type?: TypeProto;
}

interface TypeProto extends Message {
  tensor?: TensorTypeProto;
}

interface TensorTypeProto extends Message {
  elemType?: number;
  shape?: TensorShapeProto;
}

interface TensorShapeProto extends Message {
  dim: Dimension[];
}

export interface GraphProto extends Message {
  node: NodeProto[];
  name?: string;
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  valueInfo: ValueInfoProto[];
}

interface KeyValue extends Message {
  key?: string;
  value?: string;
}

interface OperatorSet extends Message {
  domain?: string;
  version?: number;
}

export interface ModelProto extends Message {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  opsetImport: OperatorSet[];
  metadataProps: KeyValue[];
}

const TENSOR: MessageSpec = {
  dims: { id: 1, kind: 'int', repeated: true },
  dataType: { id: 2, kind: 'int' },
  floatData: { id: 4, kind: 'float', repeated: true, packed: true },
  int32Data: { id: 5, kind: 'int', repeated: true, packed: true },
  int64Data: { id: 7, kind: 'int64', repeated: true, packed: true },
  name: { id: 8, kind: 'string' },
  rawData: { id: 9, kind: 'bytes' },
  dataLocation: { id: 14, kind: 'int' },
};

// Subgraphs (of If, Loop and Scan) stay among the unknown fields: they are carried along, not edited.
const ATTRIBUTE: MessageSpec = {
  name: { id: 1, kind: 'string' },
  f: { id: 2, kind: 'float' },
  i: { id: 3, kind: 'int64' },
  s: { id: 4, kind: 'bytes' },
  t: { id: 5, kind: () => TENSOR },
  floats: { id: 7, kind: 'float', repeated: true },
  ints: { id: 8, kind: 'int64', repeated: true },
  type: { id: 20, kind: 'int' },
};

const NODE: MessageSpec = {
  input: { id: 1, kind: 'string', repeated: true },
  output: { id: 2, kind: 'string', repeated: true },
  name: { id: 3, kind: 'string' },
  opType: { id: 4, kind: 'string' },
  attribute: { id: 5, kind: () => ATTRIBUTE, repeated: true },
  domain: { id: 7, kind: 'string' },
};

const DIMENSION: MessageSpec = {
  value: { id: 1, kind: 'int' },
  param: { id: 2, kind: 'string' },
};

const SHAPE: MessageSpec = { dim: { id: 1, kind: () => DIMENSION, repeated: true } };

const TENSOR_TYPE: MessageSpec = {
  elemType: { id: 1, kind: 'int' },
  shape: { id: 2, kind: () => SHAPE },
};

const TYPE: MessageSpec = { tensor: { id: 1, kind: () => TENSOR_TYPE } };

const VALUE_INFO: MessageSpec = {
  name: { id: 1, kind: 'string' },
  type: { id: 2, kind: () => TYPE },
};

const GRAPH: MessageSpec = {
  node: { id: 1, kind: () => NODE, repeated: true },
  name: { id: 2, kind: 'string' },
  initializer: { id: 5, kind: () => TENSOR, repeated: true },
  input: { id: 11, kind: () => VALUE_INFO, repeated: true },
  output: { id: 12, kind: () => VALUE_INFO, repeated: true },
  valueInfo: { id: 13, kind: () => VALUE_INFO, repeated: true },
};

const KEY_VALUE: MessageSpec = {
  key: { id: 1, kind: 'string' },
  value: { id: 2, kind: 'string' },
};

const OPERATOR_SET: MessageSpec = {
  domain: { id: 1, kind: 'string' },
  version: { id: 2, kind: 'int' },
};

const MODEL: MessageSpec = {
  irVersion: { id: 1, kind: 'int' },
  producerName: { id: 2, kind: 'string' },
  producerVersion: { id: 3, kind: 'string' },
  graph: { id: 7, kind: () => GRAPH },
  opsetImport: { id: 8, kind: () => OPERATOR_SET, repeated: true },
  metadataProps: { id: 14, kind: () => KEY_VALUE, repeated: true },
};

/**
 * Decodes an ONNX file. Weights are views of `bytes`, so the bytes must stay as they are while the model is used.
 *
 * @throws RangeError when the bytes are not a protobuf message
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return decodeMessage<ModelProto>(bytes, MODEL);
}

export function encodeModel(model: ModelProto): Uint8Array {
  return encodeMessage(model, MODEL);
}
