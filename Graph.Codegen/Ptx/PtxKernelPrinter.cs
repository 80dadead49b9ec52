using System.Globalization;
using System.Text;
using Graphene.Codegen.Llvm;

namespace Graphene.Codegen.Ptx;

/// <summary>Prints kernels with threads as LLVM IR for NVIDIA's target.</summary>
/// <remarks>
/// As for processors, no instruction carries fast-math flags and denormals stay what they are, so that a GPU gives the bits that a
/// processor gives. What differs is in <see cref="GpuBodyPrinter"/>.
/// </remarks>
/// <param name="target">The architecture.</param>
public sealed class PtxKernelPrinter(PtxTarget target)
{
    /// <summary>Prints a kernel as a module; the entry has the kernel's name.</summary>
    /// <exception cref="CompilerBugException">The kernel is malformed, or needs what the architecture has not.</exception>
    public string Print(Kernel kernel)
    {
        (string body, PtxKernel spec) = PrintBody(kernel);
        return PrintModule(spec with { Name = kernel.Name }, body);
    }

    /// <summary>Prints a kernel without its name. Kernels with equal texts are one.</summary>
    internal (string Body, PtxKernel Spec) PrintBody(Kernel kernel)
    {
        var printer = new GpuBodyPrinter(target);
        string body = printer.Print(kernel);
        int shared = (int)printer.Shared.SizeInBytes;
        var spec = new PtxKernel(kernel.Name, kernel.Threads!.Count, kernel.Arguments.Count)
        {
            Symbols = [.. printer.Symbols],
            Members = kernel.Members,
            Maps = kernel.Maps.Count,
            SharedAlignment = printer.Shared.LargestAlignment,
            SharedBytes = shared,
            DynamicSharedBytes = shared > GpuBodyPrinter.MostStaticSharedBytes ? shared : 0,
            BlocksPerMultiprocessor = kernel.Threads.TasksPerMultiprocessor,
        };
        return (body, spec);
    }

    /// <summary>Makes a module of a kernel's body.</summary>
    internal string PrintModule(PtxKernel kernel, string body)
    {
        var text = new StringBuilder();
        if (kernel.SharedBytes > 0)
        {
            string linkage = kernel.DynamicSharedBytes > 0 ? "external" : "internal";
            string content = kernel.DynamicSharedBytes > 0 ? "[0 x i8]" : Invariant($"[{kernel.SharedBytes} x i8] undef");
            text.Append('@').Append(kernel.Name).Append(
                Invariant($"_shared = {linkage} addrspace(3) global {content}, align {kernel.SharedAlignment}\n"));
        }
        body = body.Replace(GpuBodyPrinter.OwnName, "@" + kernel.Name, StringComparison.Ordinal);
        text.Append(LlvmLookupTable.Definitions([body], "internal addrspace(1) constant"));
        text.Append("define ptx_kernel void @").Append(kernel.Name).Append(body).Append('\n');
        foreach (DType type in (DType[])[DType.F32, DType.F64])
        {
            if (body.Contains(LlvmRemainder.Name(type), StringComparison.Ordinal))
            {
                text.Append(LlvmRemainder.Definition(type, "#0 alwaysinline"));
            }
        }
        text.Append("attributes #0 = { nounwind convergent \"no-trapping-math\"=\"true\"");
        text.Append($" \"target-cpu\"=\"{target.Machine.Cpu}\" \"target-features\"=\"{target.Machine.Features}\" }}\n");
        text.Append(LlvmMetadata.Definitions).Append("!nvvm.annotations = !{!6}\n");
        text.Append(Invariant($"!6 = !{{ptr @{kernel.Name}, !\"reqntidx\", i32 {kernel.Threads}"));
        text.Append(kernel.BlocksPerMultiprocessor > 0 ? Invariant($", !\"minctasm\", i32 {kernel.BlocksPerMultiprocessor}") : "");
        if (kernel.Maps > 0)
        {
            // Maps stay where they are passed: copies take them from there. Parameters are counted from 1.
            int first = kernel.Buffers + kernel.Symbols.Length + 1;
            text.Append(", !\"grid_constant\", !7}\n!7 = !{");
            IEnumerable<string> numbers = Enumerable.Range(first, kernel.Maps).Select(i => Invariant($"i32 {i}"));
            return text.Append(string.Join(", ", numbers)).Append("}\n").ToString();
        }
        return text.Append("}\n").ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
