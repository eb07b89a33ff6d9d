"""Fine-tunes a small language model with LoRA: transformers' Trainer, peft adapters, bf16 on a CUDA device.

    python finetune_lora.py --steps 20
"""

import argparse
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

TEXT = Path(__file__).parent / "data" / "sonnets.txt"


class Letters(Dataset):
    def __init__(self, text, length):
        self.kinds, self.length = sorted(set(text)), length
        index = {letter: number for number, letter in enumerate(self.kinds)}
        self.tokens = torch.tensor([index[letter] for letter in text])

    def __len__(self):
        return (len(self.tokens) - 1) // self.length

    def __getitem__(self, number):
        ids = self.tokens[number * self.length : (number + 1) * self.length]
        return {"input_ids": ids, "labels": ids}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rank", type=int, default=4)
    args = parser.parse_args()

    torch.manual_seed(0)
    data = Letters(TEXT.read_text(encoding="utf-8"), length=32)
    config = LlamaConfig(
        vocab_size=len(data.kinds), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64, pad_token_id=None,
    )  # fmt: skip
    adapters = LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=args.rank, lora_alpha=16, target_modules=["q_proj", "v_proj"],
        modules_to_save=["lm_head"],
    )  # fmt: skip
    model = get_peft_model(LlamaForCausalLM(config), adapters)
    model.print_trainable_parameters()

    with tempfile.TemporaryDirectory() as directory:
        how = TrainingArguments(
            output_dir=directory, max_steps=args.steps, per_device_train_batch_size=4, learning_rate=2e-2,
            bf16=True, logging_steps=max(1, args.steps // 4), report_to=[], save_strategy="no",
            gradient_checkpointing=True, dataloader_pin_memory=True, optim="adamw_torch_fused", seed=0,
            disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(model=model, args=how, train_dataset=data)
        trainer.train()
        for entry in trainer.state.log_history:
            if "loss" in entry:
                print(f"step {entry['step']:4d}  loss {float(entry['loss']):.4f}")
        model.save_pretrained(directory)
        saved = sorted(path.name for path in Path(directory).iterdir())

    print("saved", *saved)
    ids = model.generate(input_ids=torch.zeros(1, 1, dtype=torch.long, device="cuda"), max_new_tokens=20, do_sample=True)
    print("".join(data.kinds[number] for number in ids[0].tolist()).strip())
    print("trained on", model.device, torch.cuda.get_device_name(model.device))


if __name__ == "__main__":
    main()
