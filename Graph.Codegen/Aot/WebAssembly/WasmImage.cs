using System.Globalization;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>
/// Prints what a module has besides kernels and the entry function: the context, the table of buffers, the values of symbolic dims, and
/// the function that the outside calls.
/// </summary>
/// <remarks>
/// The context is laid out as <see cref="NativeContext"/> says, with pointers of four bytes in words of eight. It has no threads, no
/// cancellation and no host. Nothing is filled in by the linker but addresses of what is here: buffers are placed behind
/// <c>__heap_base</c> when linking is over, by <see cref="WasmLayout"/>.
/// </remarks>
internal static class WasmImage
{
    /// <summary>The function that runs the graph: no parameters, an i32 that is 0.</summary>
    public const string Run = "run";

    /// <summary>The table of buffers: the address of each in a word of eight bytes.</summary>
    public const string Buffers = "buffers";

    /// <summary>The values of symbolic dims, i64 each.</summary>
    public const string Symbols = "symbols";

    /// <summary>The end of what the linker placed.</summary>
    public const string HeapBase = "__heap_base";

    /// <summary>The LLVM module.</summary>
    public static string Print(ExecutablePlan plan)
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"@{Buffers} = global [{Math.Max(1, plan.Buffers.Length)} x i64] zeroinitializer, align 8\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"@{Symbols} = global [{Math.Max(1, plan.Symbols.Length)} x i64] zeroinitializer, align 8\n");

        // Buffers and symbols; then parallel_for, pool, cancel, threads and error, error detail, host call, host.
        text.Append(CultureInfo.InvariantCulture, $"@context = internal global {{ ptr, i32, ptr, i32, [7 x i64] }} ");
        text.Append(
            CultureInfo.InvariantCulture,
            $"{{ ptr @{Buffers}, i32 0, ptr @{Symbols}, i32 0, [7 x i64] zeroinitializer }}, align 8\n");
        text.Append(CultureInfo.InvariantCulture, $"declare i32 @{plan.EntrySymbol}(ptr)\n");
        text.Append(CultureInfo.InvariantCulture, $"define i32 @{Run}() nounwind {{\n");
        text.Append(CultureInfo.InvariantCulture, $"  %error = call i32 @{plan.EntrySymbol}(ptr @context)\n  ret i32 %error\n}}\n");
        return text.ToString();
    }
}
