// A group of four elements of an operand. Include with NAME, INDEX and FORMAT as for operand.wgsl, FOUR (a define:
// groups are contiguous and aligned) and COMPONENT, the operand's place in the vectors of box.wgsl.
#include "common/operand.wgsl" NAME=$NAME INDEX=$INDEX FORMAT=$FORMAT
fn $NAME_group(group: Group) -> vec4<f32> {
#if $FOUR
  return $NAME_4(group.at.$COMPONENT);
#else
  // Beyond the end of a row its last element is repeated.
  let start = group.at.$COMPONENT;
  let step = params.steps[0].$COMPONENT;
  let last = group.count - 1u;
  return vec4(
    $NAME_1(start),
    $NAME_1(start + min(1u, last) * step),
    $NAME_1(start + min(2u, last) * step),
    $NAME_1(start + min(3u, last) * step),
  );
#endif
}
