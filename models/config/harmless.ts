/**
 * Fields of configurations that cannot change what is computed from trained weights, with the reason. The rule for all
 * others stays: what is neither understood nor here is refused. A field belongs here only if no implementation of the
 * architectures that can be imported reads it for the forward pass in evaluation.
 */

const listed = (groups: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(groups).flatMap(([why, names]) => names.split(/\s+/).map((name) => [name, why] as const)));

/** Of `config.json`: why each field is harmless, by its name. */
export const HARMLESS_MODEL_FIELDS = listed({
  'says where the files come from, or which software wrote them': `_name_or_path name_or_path model_name architectures
    model_type transformers_version _commit_hash _from_model_config revision trust_remote_code unsloth_fixed
    unsloth_version transformers.js_config license language tags
    is_llama_config`,
  'says in which format weights are held; they are read in the one they are stored in': `torch_dtype dtype
    use_bfloat16`,
  'chooses between implementations of the same attention': `_attn_implementation attn_implementation
    _attn_implementation_internal _attn_implementation_autoset _flash_attn_2_enabled use_flash_attention_2
    use_flash_attention use_flash_attn use_sdpa reorder_and_upcast_attn`,
  'says how a computation is spread over machines, or repeated to save memory': `pretraining_tp
    gradient_checkpointing tp_plan base_model_tp_plan base_model_pp_plan device_map hf_device_map`,
  'keeps or returns more of what is computed all the same': `use_cache output_past output_attentions
    output_hidden_states output_scores output_logits return_dict return_dict_in_generate use_return_dict torchscript
    keys_to_ignore_at_inference cache_implementation`,
  'counts in training only': `attention_dropout attn_pdrop embd_pdrop resid_pdrop hidden_dropout hidden_dropout_prob
    attention_probs_dropout_prob activation_dropout embedding_dropout classifier_dropout dropout layerdrop
    initializer_range initializer_factor init_std init_device neftune_noise_alpha tf_legacy_loss loss_type ignore_index
    label_smoothing`,
  'is about the tokenizer': `tokenizer_class tokenizer_padding_side padding_side tokenizer_model_max_length
    model_max_length max_sequence_length max_seq_length max_seq_len seq_length n_ctx bos_token_id eos_token_id
    pad_token_id unk_token_id sep_token_id cls_token_id mask_token_id bos_token eos_token pad_token unk_token
    chat_template predict_special_tokens n_special`,
  'is about how text is generated from the scores': `decoder_start_token_id task_specific_params prefix max_length
    min_length max_new_tokens min_new_tokens do_sample early_stopping num_beams num_beam_groups diversity_penalty
    temperature top_k top_p min_p typical_p repetition_penalty length_penalty no_repeat_ngram_size
    encoder_no_repeat_ngram_size bad_words_ids num_return_sequences forced_bos_token_id forced_eos_token_id
    remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens generation_config
    eos_token_ids`,
  'is about heads for other tasks, which these architectures do not have': `summary_activation summary_first_dropout
    summary_proj_to_labels summary_type summary_use_proj finetuning_task id2label label2id num_labels _num_labels
    problem_type`,
  'is about encoders, which these architectures do not have': `is_encoder_decoder is_decoder tie_encoder_decoder
    cross_attention_hidden_size chunk_size_feed_forward`,
});

/** Of `adapter_config.json`: why each field is harmless, by its name. */
export const HARMLESS_ADAPTER_FIELDS = listed({
  'says where the adapter comes from, or which software wrote it': `peft_version revision auto_mapping task_type
    base_model_class parent_library unsloth_version unsloth_fixed`,
  'chose the modules; those that have matrices are the ones it chose': `layers_to_transform layers_pattern
    exclude_modules enable_lora ensure_weight_tying`,
  'counts in training only': `lora_dropout inference_mode velora_config loraplus_lr_ratio lorap_lr_ratio
    loraplus_lr_embedding neftune_noise_alpha lora_dtype autocast_adapter_dtype runtime_config`,
  'is about how the matrices were initialised; `init_lora_weights` says which way was taken': `loftq_config eva_config
    corda_config lora_ga_config`,
  'counts with a switch only, which is refused itself': `qalora_group_size`,
  'says how a computation is spread over machines': `megatron_config megatron_core`,
  'says whether the matrices were merged for a while': `merge_weights`,
});
