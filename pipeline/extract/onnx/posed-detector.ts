// A detector of boxes, and networks that look into each box for the pose.

import type { Picture } from '../../../models/svd/picture.js'
import type { Detection, Detector } from '../detection.js'

/** Adds to detections what can be seen in their boxes. */
export interface PoseNetwork {
  /** The detection with keypoints or a pose; the same one where it is none of its kind. */
  see(picture: Picture, detection: Detection): Promise<Detection>
}

/** Detects with one network, then lets others look at each detection in turn. */
export class PosedDetector implements Detector {
  constructor(
    private readonly boxes: Detector,
    private readonly poses: readonly PoseNetwork[],
  ) {}

  begin(): void {
    this.boxes.begin?.()
  }

  async detect(picture: Picture): Promise<Detection[]> {
    const out: Detection[] = []
    for (let detection of await this.boxes.detect(picture)) {
      for (const network of this.poses) detection = await network.see(picture, detection)
      out.push(detection)
    }
    return out
  }
}
