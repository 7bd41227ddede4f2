// What is kept of a triangle between the passes.

// Triangles that lie side by side in memory share a box, since most of a picture is outside of most of them.
const BLOCK = 32u;

struct Triangle {
  box: vec4<i32>,    // the pixels that it may cover: least x and y, largest x and y; none if it is left out
  first: vec4<i32>,  // a and b, steps of a pixel
  second: vec4<i32>, // c; 1 if b and c have changed places, so that the inside is to the right of every edge
  depth: vec4<f32>,  // of a, b and c, metres; twice the area, steps of a pixel
}
