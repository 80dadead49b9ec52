using System.Text;

namespace Graphene.Codegen.Llvm;

/// <summary>Prints kernels as LLVM IR.</summary>
/// <remarks>
/// A kernel becomes <c>void NAME(ptr ctx, ptr args, i64 begin, i64 end)</c>, which runs the tasks from begin to end. The text
/// depends on the kernel's structure, the target and the symbols' ordinals alone: kernels with equal bodies are one kernel.
/// No instruction carries fast-math flags.
/// </remarks>
/// <param name="target">The machine that the code is for.</param>
/// <param name="symbolOrdinal">The place of a symbol among the context's symbol values.</param>
public sealed class LlvmKernelPrinter(LlvmTarget target, Func<DimSymbol, int> symbolOrdinal)
{
    /// <summary>The calling convention of kernels, such as <c>win64cc</c>; empty for the target's own.</summary>
    public string CallingConvention { get; init; } = "";

    /// <summary>Whether a kernel looks at the context's cancellation flag after each task and stops when it is set.</summary>
    public bool ChecksCancellation { get; init; } = true;

    /// <summary>
    /// Prints a kernel without its name: what comes after <c>@NAME</c>. Equal texts are the same function, so this is also
    /// the key by which kernels are compiled once.
    /// </summary>
    /// <exception cref="CompilerBugException">The kernel is malformed; see <c>KernelVerifier</c>.</exception>
    public string PrintBody(Kernel kernel) => new ProcessorBodyPrinter(target, symbolOrdinal, ChecksCancellation).Print(kernel);

    /// <summary>Puts functions into a module that LLVM can compile.</summary>
    /// <param name="functions">Names and the bodies that <see cref="PrintBody"/> gave.</param>
    public string PrintModule(IReadOnlyCollection<(string Name, string Body)> functions)
    {
        var text = new StringBuilder();
        foreach ((string name, string body) in functions)
        {
            string convention = CallingConvention.Length > 0 ? CallingConvention + " " : "";
            text.Append("define ").Append(convention).Append("void @").Append(QuoteName(name)).Append(body).Append('\n');
        }
        foreach (DType type in (DType[])[DType.F32, DType.F64])
        {
            if (functions.Any(f => f.Body.Contains(LlvmRemainder.Name(type), StringComparison.Ordinal)))
            {
                text.Append(LlvmRemainder.Definition(type));
            }
        }
        text.Append(LlvmLookupTable.Definitions(functions.Select(f => f.Body)));
        return text.Append(Attributes()).Append(LlvmMetadata.Definitions).ToString();
    }

    /// <summary>Prints one kernel as a module; the function has the kernel's name.</summary>
    public string Print(Kernel kernel) => PrintModule([(kernel.Name, PrintBody(kernel))]);

    // Never inlined: what holds about aliasing within one call of a kernel need not hold across several.
    private string Attributes()
    {
        var text = new StringBuilder("attributes #0 = { nounwind noinline");
        text.Append(" \"no-trapping-math\"=\"true\"");
        if (target.VectorBits > 0)
        {
            text.Append(" \"prefer-vector-width\"=\"").Append(target.VectorBits).Append('"');
        }
        if (target.Cpu.Length > 0)
        {
            text.Append(" \"target-cpu\"=\"").Append(target.Cpu).Append('"');
        }
        if (target.Features.Length > 0)
        {
            text.Append(" \"target-features\"=\"").Append(target.Features).Append('"');
        }
        return text.Append(" }\n").ToString();
    }

    private static string QuoteName(string name)
    {
        var text = new StringBuilder("\"");
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            _ = b is (byte)'"' or (byte)'\\' or < 0x20 or >= 0x7F
                ? text.Append('\\').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture))
                : text.Append((char)b);
        }
        return text.Append('"').ToString();
    }
}
