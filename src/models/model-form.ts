/** Which form of a detector runs, and how to talk to it. */
export interface ModelForm {
  /**
   * `prepared` and `test-detector` give box logits and class scores; `wrapped` gives the export's own output
   * [N, 4 + classes, cells] with boxes as centre and size in input pixels.
   */
  form: 'prepared' | 'wrapped' | 'test-detector';
  /** Why a better form was not possible; null otherwise. */
  formReason: string | null;
  /** Size of the frame in pixels. */
  width: number;
  height: number;
  /** By class number of the output. */
  labels: readonly string[];
  /** uint8 [N,3,height,width], planes G, B, R. */
  inputName: string;
  /**
   * `['boxes', 'scores']`: box logits [N,64,cells] (left, top, right, bottom; 16 bins each) and class scores
   * [N,classes,cells] in 0..1, cells row by row for strides 8, 16 and 32. Or the one output of a wrapped export.
   */
  outputs: readonly string[];
  /** Frames in one run; `any` for the open dimension `batch`. */
  batch: number | 'any';
}

/** A model's form together with the ONNX file that it describes. */
export interface ModelFile extends ModelForm {
  bytes: Uint8Array;
}
