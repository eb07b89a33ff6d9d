// Draws 2-D Gaussians into a picture, front to back: one thread a pixel.
#include <torch/extension.h>

template <typename scalar_t>
__global__ void splat_kernel(const scalar_t* __restrict__ centre, const scalar_t* __restrict__ width,
                             const scalar_t* __restrict__ colour, scalar_t* __restrict__ picture, int count, int side) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= side || y >= side) return;
  scalar_t light = 0, through = 1;
  for (int i = 0; i < count; ++i) {
    const scalar_t dx = x - centre[2 * i], dy = y - centre[2 * i + 1];
    const scalar_t alpha = 0.9 * exp(-(dx * dx + dy * dy) / (2 * width[i] * width[i]));
    light += through * alpha * colour[i];
    through *= 1 - alpha;
  }
  picture[y * side + x] = light;
}

torch::Tensor splat(torch::Tensor centre, torch::Tensor width, torch::Tensor colour, int64_t side) {
  TORCH_CHECK(centre.is_cuda(), "centre must be a CUDA tensor");
  auto picture = torch::zeros({side, side}, centre.options());
  const dim3 threads(16, 16), blocks((side + 15) / 16, (side + 15) / 16);
  AT_DISPATCH_FLOATING_TYPES(centre.scalar_type(), "splat", ([&] {
    splat_kernel<scalar_t><<<blocks, threads>>>(centre.data_ptr<scalar_t>(), width.data_ptr<scalar_t>(),
                                                colour.data_ptr<scalar_t>(), picture.data_ptr<scalar_t>(),
                                                centre.size(0), side);
  }));
  return picture;
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("splat", &splat, "Gaussians to a picture (CUDA)"); }
