using Graphene.Codegen;
using Graphene.Codegen.Ptx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Gpu;

/// <summary>Where the assembler is installed: products of all types, orders and pitches keep everything in registers.</summary>
internal sealed class ProductPtxTests
{
    [Explicit("takes minutes where the machine is shared")]
    [TestCase(80, false)]
    [TestCase(90, true)]
    public void ProductsDoNotSpill(int architecture, bool hasArchitectureFeatures)
    {
        Ptxas.Require();
        var gpu = new GpuTarget(architecture, hasArchitectureFeatures);
        using var compiler = new PtxCompiler(PtxTarget.Of(gpu));
        foreach (ProductTile tile in ProductTileChoice.Tiles(isFragments: true, elementBytes: 2))
        {
            Add(Dot(DType.BF16, "nn", 4096), $"bf16_{tile.Rows}x{tile.Columns}", new ProductPlan(ProductUnit.Fragments, tile));
        }
        foreach (ProductTile tile in ProductTileChoice.Tiles(isFragments: false, elementBytes: 4))
        {
            Add(Dot(DType.F32, "nn", 4096), $"f32_{tile.Rows}x{tile.Columns}", new ProductPlan(ProductUnit.Lanes, tile));
        }
        foreach (string order in new[] { "nn", "nt", "tn", "tt" })
        {
            Add(Dot(DType.F16, order, 4096), $"f16_{order}");
            Add(Dot(DType.F32, order, 4096), $"f32_{order}");
            Add(Dot(DType.F32, order, 4096), $"tf32_{order}", allowsTensorFloat32: true);
            Add(Dot(DType.F64, order, 2048), $"f64_{order}");
            Add(Dot(DType.I8, order, 4096), $"i8_{order}");
            Add(Dot(DType.BF16, order, 333), $"bf16_odd_{order}");
        }
        foreach (ProductTile tile in ProductTileChoice.Tiles(isFragments: true, elementBytes: 2))
        {
            Add(
                Dot(DType.BF16, "nn", 4096), $"bf16_stream_{tile.Rows}x{tile.Columns}",
                new ProductPlan(ProductUnit.Fragments, tile, 1, 132));
        }
        Add(Dot(DType.BF16, "nn", Dim.Symbol("n", 1, 4096)), "bf16_symbolic");
        Add(Convolution(DType.F16, 58, 128, 3, 1, 128), "convolution");
        Add(Convolution(DType.F16, 230, 3, 7, 2, 64), "first_convolution");
        PtxModule module = compiler.Finish();

        IReadOnlyList<PtxasReport> reports = Ptxas.Assemble(module.Text, module.Target.Name);

        Assert.That(reports, Has.Count.EqualTo(module.Kernels.Length));
        Assert.That(reports.Where(r => r.SpilledBytes > 0), Is.Empty);

        void Add(Module product, string name, ProductPlan? plan = null, bool allowsTensorFloat32 = false)
        {
            GpuTarget target = gpu with { AllowsTensorFloat32 = allowsTensorFloat32 };
            foreach (LoweredKernel kernel in new PlannedProduct(product, plan, target).Kernels)
            {
                compiler.Add(kernel.Kernel with { Name = name });
            }
        }
    }

    private static Module Dot(DType type, string order, Dim size) =>
        GpuDotTests.Dot(type, type == DType.I8 ? DType.I32 : type, order, size, size, size);

    private static Module Convolution(DType type, int size, int inputs, int kernel, int stride, int outputs) => CompiledModule.Build(b =>
    {
        var window = new WindowDim(kernel, stride);
        return
        [
            b.Add(
                new ConvolutionOp(ConvolutionDimensions.ChannelsLast(2), [window, window], 1, 1, type),
                b.Parameter(0, new TensorType(type, Shape.Of(32, size, size, inputs))),
                b.Parameter(1, new TensorType(type, Shape.Of(kernel, kernel, inputs, outputs)))),
        ];
    });
}
