import { TENSOR_FLOAT, TENSOR_FLOAT16, TENSOR_INT64, type TensorProto } from './proto.ts';

const BYTES_PER_ELEMENT: Record<number, number> = { [TENSOR_FLOAT]: 4, [TENSOR_FLOAT16]: 2 };

/** A copy that is aligned for typed arrays; weights in a file start at any byte. */
function aligned(raw: Uint8Array): ArrayBuffer {
  return Uint8Array.from(raw).buffer;
}

/** The values of a float32 tensor; null for any other type. */
export function floatValues(tensor: TensorProto): Float32Array | null {
  if (tensor.dataType !== TENSOR_FLOAT) return null;
  if (tensor.rawData !== undefined) return new Float32Array(aligned(tensor.rawData));
  return Float32Array.from(tensor.floatData);
}

/** The values of an int64 tensor; null for any other type. */
export function intValues(tensor: TensorProto): number[] | null {
  if (tensor.dataType !== TENSOR_INT64) return null;
  const { rawData, int64Data } = tensor;
  const values = rawData === undefined ? int64Data : new BigInt64Array(aligned(rawData));
  return Array.from(values, Number);
}

function tensor(
  name: string,
  dataType: number,
  dims: readonly number[],
  raw: ArrayBufferLike,
): TensorProto {
  return {
    name,
    dataType,
    dims: [...dims],
    floatData: [],
    int32Data: [],
    int64Data: [],
    rawData: new Uint8Array(raw),
  };
}

export function floatTensor(
  name: string,
  dims: readonly number[],
  values: Float32Array,
): TensorProto {
  return tensor(name, TENSOR_FLOAT, dims, Float32Array.from(values).buffer);
}

export function intTensor(name: string, values: readonly number[]): TensorProto {
  return tensor(name, TENSOR_INT64, [values.length], BigInt64Array.from(values, BigInt).buffer);
}

/**
 * The given rows of a tensor's first dimension, in that order.
 *
 * @returns null for types other than float32 and float16
 */
export function selectRows(
  source: TensorProto,
  rows: readonly number[],
  name: string,
): TensorProto | null {
  const size = BYTES_PER_ELEMENT[source.dataType ?? 0];
  if (size === undefined) return null;
  const raw = source.rawData ?? new Uint8Array(Float32Array.from(source.floatData).buffer);
  const rowBytes = size * source.dims.slice(1).reduce((product, dim) => product * dim, 1);
  const out = new Uint8Array(rowBytes * rows.length);
  rows.forEach((row, at) => {
    out.set(raw.subarray(row * rowBytes, (row + 1) * rowBytes), at * rowBytes);
  });
  const dims = [rows.length, ...source.dims.slice(1)];
  return tensor(name, source.dataType as number, dims, out.buffer);
}
