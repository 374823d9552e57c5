import {
  type Dim,
  GraphView,
  intAttribute,
  intsAttribute,
  node,
  valueInfo,
} from '../../src/models/onnx/graph.ts';
import {
  encodeModel,
  type GraphProto,
  type NodeProto,
  TENSOR_FLOAT,
} from '../../src/models/onnx/proto.ts';
import { floatTensor, intTensor } from '../../src/models/onnx/tensor.ts';

export interface TinyYoloOptions {
  width?: number;
  height?: number;
  classes?: number;
  /**
   * How the head joins its feature maps: boxes and classes apart, or together with a Split or Slice behind
   * (as exports of different years do); `unusual` puts a node in between that no export has.
   */
  head?: 'apart' | 'split' | 'slice' | 'unusual';
  /** Shapes and scales as initializers, or as outputs of Constant nodes. */
  constants?: 'initializers' | 'nodes';
  /** Enlarging by a factor, or to a fixed size. */
  enlarge?: 'scales' | 'sizes';
  /** Flattening with -1, or with the number of cells written out. */
  flatten?: 'open' | 'fixed';
  /** Input and output shapes as declared. */
  inputShape?: Dim[];
  outputShape?: Dim[];
  metadata?: Record<string, string>;
}

const BINS = 16;
const STRIDES = [8, 16, 32];

/** Repeatable numbers in -1..1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * A network of YOLOv8's outer shape with a few random weights: three feature maps from a small backbone with a
 * way back up, box distances as distributions over 16 bins, decoding against anchors. Its answers mean nothing,
 * but have to be the same in every form of the model.
 */
class TinyYolo {
  readonly width: number;
  readonly height: number;
  readonly classes: number;
  readonly graph: GraphProto;
  readonly #view: GraphView;
  readonly #options: TinyYoloOptions;
  readonly #random = randomNumbers(7);

  constructor(options: TinyYoloOptions) {
    this.#options = options;
    this.width = options.width ?? 320;
    this.height = options.height ?? 320;
    this.classes = options.classes ?? 3;
    this.graph = { name: 'tiny', node: [], initializer: [], input: [], output: [], valueInfo: [] };
    this.#view = new GraphView(this.graph);
    const cells = STRIDES.reduce((sum, s) => sum + (this.width / s) * (this.height / s), 0);
    const inputShape = options.inputShape ?? [1, 3, this.height, this.width];
    const outputShape = options.outputShape ?? [1, 4 + this.classes, cells];
    this.graph.input.push(valueInfo('pictures', TENSOR_FLOAT, inputShape));
    this.graph.output.push(valueInfo('answer', TENSOR_FLOAT, outputShape));
    this.#build(cells);
  }

  #add(...parameters: Parameters<typeof node>): string {
    this.graph.node.push(node(...parameters));
    return parameters[2];
  }

  #constant(tensor: ReturnType<typeof floatTensor>): string {
    const name = tensor.name ?? '';
    if (this.#options.constants !== 'nodes') return this.#view.addInitializer(tensor);
    const made: NodeProto = node('Constant', [], name);
    made.attribute.push({ name: 'value', t: tensor, type: 4, floats: [], ints: [] });
    this.graph.node.push(made);
    return name;
  }

  #ints(name: string, values: number[]): string {
    return this.#constant(intTensor(name, values));
  }

  #floats(name: string, dims: number[], values: ArrayLike<number>): string {
    return this.#constant(floatTensor(name, dims, Float32Array.from(values)));
  }

  #conv(
    input: string,
    output: string,
    channels: [number, number],
    kernel: number,
    stride = 1,
  ): string {
    const [from, to] = channels;
    const scale = 2 / Math.sqrt(from * kernel * kernel);
    const values = Float32Array.from(
      { length: to * from * kernel ** 2 },
      () => this.#random() * scale,
    );
    const bias = Float32Array.from({ length: to }, () => this.#random());
    // Weights are initializers in every export.
    this.#view.addInitializer(floatTensor(`${output}.w`, [to, from, kernel, kernel], values));
    this.#view.addInitializer(floatTensor(`${output}.b`, [to], bias));
    const pad = (kernel - 1) / 2;
    return this.#add('Conv', [input, `${output}.w`, `${output}.b`], output, [
      intsAttribute('kernel_shape', [kernel, kernel]),
      intsAttribute('pads', [pad, pad, pad, pad]),
      intsAttribute('strides', [stride, stride]),
    ]);
  }

  #layer(input: string, output: string, channels: [number, number], stride: number): string {
    const linear = this.#conv(input, `${output}.linear`, channels, 3, stride);
    this.#add('Sigmoid', [linear], `${output}.gate`);
    return this.#add('Mul', [linear, `${output}.gate`], output);
  }

  #enlarged(input: string, channels: number, stride: number): string {
    const output = `${input}.up`;
    if (this.#options.enlarge !== 'sizes') {
      return this.#add(
        'Resize',
        [input, '', this.#floats(`${output}.scales`, [4], [1, 1, 2, 2])],
        output,
      );
    }
    const size = [1, channels, (this.height / stride) * 2, (this.width / stride) * 2];
    return this.#add('Resize', [input, '', '', this.#ints(`${output}.size`, size)], output);
  }

  #flat(input: string, channels: number, stride: number): string {
    const cells = (this.width / stride) * (this.height / stride);
    const last = this.#options.flatten === 'fixed' ? cells : -1;
    const shape = this.#ints(`${input}.shape`, [1, channels, last]);
    return this.#add('Reshape', [input, shape], `${input}.flat`);
  }

  /** Box logits [1,64,cells] and class logits [1,classes,cells]. */
  #logits(maps: { boxes: string; classes: string }[]): [string, string] {
    const { head = 'apart' } = this.#options;
    const all = 4 * BINS + this.classes;
    const join = (flat: string[], name: string) =>
      this.#add('Concat', flat, name, [intAttribute('axis', -1)]);
    if (head === 'apart' || head === 'unusual') {
      const boxes = maps.map((map, i) => this.#flat(map.boxes, 4 * BINS, STRIDES[i]!));
      const classes = maps.map((map, i) => this.#flat(map.classes, this.classes, STRIDES[i]!));
      const joined = join(boxes, 'box.logits');
      return [
        head === 'unusual' ? this.#add('Neg', [this.#add('Neg', [joined], 'n1')], 'n2') : joined,
        join(classes, 'class.logits'),
      ];
    }
    const both = maps.map((map, i) => {
      const name = this.#add('Concat', [map.boxes, map.classes], `both${i}`, [
        intAttribute('axis', 1),
      ]);
      return this.#flat(name, all, STRIDES[i]!);
    });
    const joined = join(both, 'both.logits');
    if (head === 'slice') {
      const part = (from: number, to: number, name: string) =>
        this.#add(
          'Slice',
          [
            joined,
            this.#ints(`${name}.from`, [from]),
            this.#ints(`${name}.to`, [to]),
            this.#ints(`${name}.axis`, [1]),
          ],
          name,
        );
      return [part(0, 64, 'box.logits'), part(64, all, 'class.logits')];
    }
    const split = node(
      'Split',
      [joined, this.#ints('parts', [4 * BINS, this.classes])],
      'box.logits',
      [intAttribute('axis', 1)],
    );
    split.output = ['box.logits', 'class.logits'];
    this.graph.node.push(split);
    return ['box.logits', 'class.logits'];
  }

  #decodedBoxes(logits: string, cells: number): string {
    const shape = this.#ints('sides.shape', [1, 4, BINS, cells]);
    this.#add('Reshape', [logits, shape], 'sides');
    this.#add('Transpose', ['sides'], 'bins', [intsAttribute('perm', [0, 2, 1, 3])]);
    this.#add('Softmax', ['bins'], 'shares', [intAttribute('axis', 1)]);
    const weights = this.#floats(
      'bin.numbers',
      [1, BINS, 1, 1],
      Array.from({ length: BINS }, (_, i) => i),
    );
    this.#add('Conv', ['shares', weights], 'mean');
    this.#add('Reshape', ['mean', this.#ints('distances.shape', [1, 4, cells])], 'distances');
    const split = node('Split', ['distances', this.#ints('halves', [2, 2])], 'before', [
      intAttribute('axis', 1),
    ]);
    split.output = ['before', 'behind'];
    this.graph.node.push(split);
    const { anchors, strides } = this.#anchors(cells);
    this.#add('Sub', [anchors, 'before'], 'from');
    this.#add('Add', [anchors, 'behind'], 'to');
    this.#add('Add', ['from', 'to'], 'twice');
    this.#add('Div', ['twice', this.#floats('two', [], [2])], 'centre');
    this.#add('Sub', ['to', 'from'], 'extent');
    this.#add('Concat', ['centre', 'extent'], 'cells.boxes', [intAttribute('axis', 1)]);
    return this.#add('Mul', ['cells.boxes', strides], 'boxes.decoded');
  }

  #anchors(cells: number): { anchors: string; strides: string } {
    const x: number[] = [];
    const y: number[] = [];
    const strides: number[] = [];
    for (const stride of STRIDES) {
      for (let row = 0; row < this.height / stride; row++) {
        for (let column = 0; column < this.width / stride; column++) {
          x.push(column + 0.5);
          y.push(row + 0.5);
          strides.push(stride);
        }
      }
    }
    return {
      anchors: this.#floats('anchors', [1, 2, cells], [...x, ...y]),
      strides: this.#floats('strides', [1, cells], strides),
    };
  }

  #build(cells: number): void {
    const c = 8;
    const s2 = this.#layer('pictures', 'stem', [3, c], 2);
    const s4 = this.#layer(s2, 'down4', [c, c], 2);
    const s8 = this.#layer(s4, 'down8', [c, c], 2);
    const s16 = this.#layer(s8, 'down16', [c, c], 2);
    const s32 = this.#layer(s16, 'down32', [c, c], 2);
    const up16 = this.#add('Concat', [this.#enlarged(s32, c, 32), s16], 'join16', [
      intAttribute('axis', 1),
    ]);
    const n16 = this.#layer(up16, 'neck16', [2 * c, c], 1);
    const up8 = this.#add('Concat', [this.#enlarged(n16, c, 16), s8], 'join8', [
      intAttribute('axis', 1),
    ]);
    const n8 = this.#layer(up8, 'neck8', [2 * c, c], 1);
    const maps = [n8, n16, s32].map((map, i) => ({
      boxes: this.#conv(map, `head${i}.boxes`, [c, 4 * BINS], 1),
      classes: this.#conv(map, `head${i}.classes`, [c, this.classes], 1),
    }));
    const [boxes, classes] = this.#logits(maps);
    const decoded = this.#decodedBoxes(boxes, cells);
    this.#add('Sigmoid', [classes], 'class.scores');
    this.#add('Concat', [decoded, 'class.scores'], 'answer', [intAttribute('axis', 1)]);
  }
}

/** The file of a tiny model of YOLOv8's shape: input `pictures`, output `answer`. */
export function tinyYolo(options: TinyYoloOptions = {}): Uint8Array {
  const { graph } = new TinyYolo(options);
  return encodeModel({
    irVersion: 8,
    producerName: 'test',
    graph,
    opsetImport: [{ domain: '', version: 17 }],
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  });
}
