import {
  ATTRIBUTE_INT,
  ATTRIBUTE_INTS,
  ATTRIBUTE_STRING,
  type AttributeProto,
  type Dimension,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.ts';
import { floatValues, intValues } from './tensor.ts';

/** A dimension's size, or its name when it is only known at run time. */
export type Dim = number | string;

function attribute(name: string, type: number): AttributeProto {
  return { name, type, floats: [], ints: [] };
}

export function intAttribute(name: string, value: number): AttributeProto {
  return { ...attribute(name, ATTRIBUTE_INT), i: BigInt(value) };
}

export function intsAttribute(name: string, values: readonly number[]): AttributeProto {
  return { ...attribute(name, ATTRIBUTE_INTS), ints: values.map(BigInt) };
}

export function stringAttribute(name: string, value: string): AttributeProto {
  return { ...attribute(name, ATTRIBUTE_STRING), s: new TextEncoder().encode(value) };
}

export function node(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: readonly AttributeProto[] = [],
): NodeProto {
  return { opType, name: output, input: [...input], output: [output], attribute: [...attributes] };
}

export function valueInfo(name: string, elemType: number, shape: readonly Dim[]): ValueInfoProto {
  const dim = shape.map(
    (size): Dimension => (typeof size === 'number' ? { value: size } : { param: size }),
  );
  return { name, type: { tensor: { elemType, shape: { dim } } } };
}

/** The shape of a graph's input or output; an unnamed run-time dimension is `?`. */
export function shapeOf(info: ValueInfoProto): Dim[] {
  const dims = info.type?.tensor?.shape?.dim ?? [];
  return dims.map(({ value, param }) => (value !== undefined && value > 0 ? value : param || '?'));
}

export function intAttributeOf(of: NodeProto, name: string): number | undefined {
  const found = of.attribute.find((candidate) => candidate.name === name);
  return found?.i === undefined ? undefined : Number(found.i);
}

export function intsAttributeOf(of: NodeProto, name: string): number[] | undefined {
  return of.attribute.find((candidate) => candidate.name === name)?.ints.map(Number);
}

/**
 * A graph seen by its tensors' names. Edits go straight to the graph given; `removeUnused` brings it back to
 * what its outputs need.
 */
export class GraphView {
  readonly graph: GraphProto;
  readonly #initializers: Map<string, TensorProto>;
  readonly #producers = new Map<string, NodeProto>();

  constructor(graph: GraphProto) {
    this.graph = graph;
    this.#initializers = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
    for (const each of graph.node)
      for (const output of each.output) this.#producers.set(output, each);
  }

  producer(tensor: string | undefined): NodeProto | undefined {
    return tensor === undefined ? undefined : this.#producers.get(tensor);
  }

  consumers(tensor: string): NodeProto[] {
    return this.graph.node.filter((each) => each.input.includes(tensor));
  }

  /** A tensor whose value is in the file: an initializer or the output of a Constant node. */
  constant(name: string | undefined): TensorProto | undefined {
    if (name === undefined) return undefined;
    const initializer = this.#initializers.get(name);
    if (initializer !== undefined) return initializer;
    const source = this.#producers.get(name);
    if (source?.opType === 'Identity') return this.constant(source.input[0]);
    if (source?.opType !== 'Constant') return undefined;
    return source.attribute.find((candidate) => candidate.name === 'value')?.t;
  }

  intsOf(name: string | undefined): number[] | null {
    const tensor = this.constant(name);
    return tensor === undefined ? null : intValues(tensor);
  }

  floatsOf(name: string | undefined): Float32Array | null {
    const tensor = this.constant(name);
    return tensor === undefined ? null : floatValues(tensor);
  }

  /** Adds a tensor whose name no other has, and returns the name. */
  addInitializer(tensor: TensorProto): string {
    const name = tensor.name ?? '';
    this.graph.initializer.push(tensor);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** Inputs of the graph that a caller feeds; old files list their weights among the inputs. */
  realInputs(): ValueInfoProto[] {
    return this.graph.input.filter((info) => !this.#initializers.has(info.name ?? ''));
  }

  /** Drops nodes, weights and shape notes that no output of the graph needs. */
  removeUnused(): void {
    const producers = new Map<string, NodeProto>();
    for (const each of this.graph.node) for (const out of each.output) producers.set(out, each);
    const needed = new Set<NodeProto>();
    const waiting = this.graph.output.map((info) => info.name ?? '');
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const source = producers.get(name);
      if (source === undefined || needed.has(source)) continue;
      needed.add(source);
      waiting.push(...source.input);
    }
    this.graph.node = this.graph.node.filter((each) => needed.has(each));
    const read = new Set(this.graph.node.flatMap((each) => each.input));
    this.graph.initializer = this.graph.initializer.filter(({ name }) => read.has(name ?? ''));
    // Shape notes describe the export's own size; the runtime infers them anew.
    this.graph.valueInfo = [];
  }
}
