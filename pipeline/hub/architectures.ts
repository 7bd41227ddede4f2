// Configurations of models that are known here, as their files say: enough to build the same networks without having
// downloaded anything. Sources: the config.json files of stabilityai/stable-video-diffusion-img2vid and -img2vid-xt,
// which differ in num_frames only.

interface Architecture {
  readonly unet: object
  readonly vae: object
  readonly imageEncoder: object
}

const crossAttention = <T>(type: T, other: T): T[] => [type, type, type, other]

function stableVideo(
  unet: { sample_size: number; block_out_channels: number[]; num_attention_heads: number[]; num_frames: number },
  vae: { block_out_channels: number[]; sample_size: number },
  clip: { hidden_size: number; num_hidden_layers: number; num_attention_heads: number; projection_dim: number },
  timeEmbedding: number,
): Architecture {
  const down = crossAttention('CrossAttnDownBlockSpatioTemporal', 'DownBlockSpatioTemporal')
  const up = crossAttention('CrossAttnUpBlockSpatioTemporal', 'UpBlockSpatioTemporal').reverse()
  return {
    unet: {
      _class_name: 'UNetSpatioTemporalConditionModel',
      in_channels: 8,
      out_channels: 4,
      down_block_types: down,
      up_block_types: up,
      layers_per_block: 2,
      addition_time_embed_dim: timeEmbedding,
      projection_class_embeddings_input_dim: 3 * timeEmbedding,
      cross_attention_dim: clip.projection_dim,
      transformer_layers_per_block: 1,
      ...unet,
    },
    vae: {
      _class_name: 'AutoencoderKLTemporalDecoder',
      in_channels: 3,
      out_channels: 3,
      down_block_types: vae.block_out_channels.map(() => 'DownEncoderBlock2D'),
      layers_per_block: 2,
      latent_channels: 4,
      scaling_factor: 0.18215,
      force_upcast: true,
      ...vae,
    },
    imageEncoder: {
      architectures: ['CLIPVisionModelWithProjection'],
      model_type: 'clip_vision_model',
      intermediate_size: 4 * clip.hidden_size,
      num_channels: 3,
      image_size: 224,
      patch_size: 14,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-5,
      ...clip,
    },
  }
}

const full = (frames: number) =>
  stableVideo(
    {
      sample_size: 96,
      block_out_channels: [320, 640, 1280, 1280],
      num_attention_heads: [5, 10, 20, 20],
      num_frames: frames,
    },
    { block_out_channels: [128, 256, 512, 512], sample_size: 768 },
    { hidden_size: 1280, num_hidden_layers: 32, num_attention_heads: 16, projection_dim: 1024 },
    256,
  )

/** By the names of models; `tiny` has the same structure with the fewest channels that it allows. */
export const architectures = {
  svd: full(14),
  'svd-xt': full(25),
  tiny: stableVideo(
    { sample_size: 8, block_out_channels: [32, 32, 32, 64], num_attention_heads: [2, 4, 2, 4], num_frames: 4 },
    { block_out_channels: [32, 32, 32, 64], sample_size: 64 },
    { hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, projection_dim: 32 },
    32,
  ),
} as const satisfies Record<string, Architecture>

/** A model that is known here. */
export type ArchitectureName = keyof typeof architectures

/** All of them. */
export const architectureNames = Object.keys(architectures) as ArchitectureName[]

/** EulerDiscreteScheduler as these models set it. */
export const schedulerConfig = {
  _class_name: 'EulerDiscreteScheduler',
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  prediction_type: 'v_prediction',
  interpolation_type: 'linear',
  use_karras_sigmas: true,
  sigma_min: 0.002,
  sigma_max: 700,
  timestep_spacing: 'leading',
  timestep_type: 'continuous',
  steps_offset: 1,
}

/** model_index.json: the classes of the parts. */
export const modelIndex = {
  _class_name: 'StableVideoDiffusionPipeline',
  unet: ['diffusers', 'UNetSpatioTemporalConditionModel'],
  vae: ['diffusers', 'AutoencoderKLTemporalDecoder'],
  image_encoder: ['transformers', 'CLIPVisionModelWithProjection'],
  scheduler: ['diffusers', 'EulerDiscreteScheduler'],
}
