// SPDX-License-Identifier: Apache-2.0
// The instruction set that the kernels run on. Highway finds the best one; ESPALIER_ISA (or set_isa) lowers it.
#pragma once

#include <string>
#include <vector>

namespace espalier::kernels {

// Names of the instruction sets that this build holds and this CPU runs, best first: "amx" (tiles), "vnni" (dot
// products of bytes and bf16 in AVX-512), then Highway's in lower case: "avx3", "avx2", "emu128" …, and before "avx2"
// "avxvnni" (that with dot products of bytes). On AArch64 "i8mm", "dotprod", "neon"; in WebAssembly
// "relaxed" (dot products of bytes with 7 bits), "wasm".
std::vector<std::string> available_isas();
std::string current_isa();

// Runs all kernels on `name` from now on; "" means the best. Throws Error for an unknown or unsupported name. Not while
// kernels run.
void set_isa(const std::string& name);

// Reads ESPALIER_ISA once, at start; later calls do nothing. Every program and test calls it through set_isa or this.
void apply_isa_environment();

// What the CPU offers beyond Highway's instruction sets, as far as set_isa has not lowered them: dot products of bf16
// (AVX-512 BF16) and of bytes (AVX-512 VNNI, or AVX-VNNI in 256 bits), and AMX tiles.
bool has_avx512_bf16();
bool has_avx512_vnni();
bool has_avx_vnni();
bool has_amx_bf16();
bool has_amx_int8();
bool has_dotprod();             // of AArch64: dot products of bytes
bool has_i8mm();                // and products of 2 x 8 with 8 x 2 bytes
bool has_relaxed_dots();        // of WebAssembly
bool only_avx2();               // AVX2 is the best, and nothing of these is there
std::string cpu_description();  // model name and instruction sets that matter here, for logs and tables

}  // namespace espalier::kernels
