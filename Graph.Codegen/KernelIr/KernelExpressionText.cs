using System.Globalization;

namespace Graphene.Codegen;

/// <summary>One expression as text, given the texts of its operands.</summary>
internal static class KernelExpressionText
{
    /// <summary>Stands for an operand that is left out before one that is not.</summary>
    public const string Missing = "_";

    private static readonly Dictionary<ScalarOp, string> OpNames =
        Enum.GetValues<ScalarOp>().ToDictionary(op => op, op => SnakeCase(op.ToString()));

    private static readonly Dictionary<string, ScalarOp> Ops =
        OpNames.ToDictionary(e => e.Value, e => e.Key, StringComparer.Ordinal);

    /// <summary>The instruction with a name as in text, such as <c>fused_multiply_add</c>.</summary>
    public static bool TryFindOp(string name, out ScalarOp op) => Ops.TryGetValue(name, out op);

    public static string Write(KExpr e, KernelNames names, Func<KExpr, string> operand) => e switch
    {
        KConstant constant => Constant(constant),
        KVariable variable => names[variable],
        KRead read => names[read.Register],
        KSymbol symbol => "@" + KernelNames.Symbol(symbol.Symbol),
        KLoad x => $"load[{Number(x.Lanes)}{(x.Alignment == 1 ? "" : ", " + Number(x.Alignment))}]({names[x.Buffer]}, {operand(x.Index)}{Masked(operand, x.Mask, x.Otherwise)})",
        KGather x => $"gather({names[x.Buffer]}, {operand(x.Indices)}{Masked(operand, x.Mask, x.Otherwise)})",
        KCall x => $"{OpNames[x.Op]}({string.Join(", ", x.Arguments.Select(operand))})",
        KSelect x =>
            $"select{(x.IsRare ? "_rarely" : "")}({operand(x.Condition)}, {operand(x.WhenTrue)}, {operand(x.WhenFalse)})",
        KScale x => $"scale({operand(x.Value)}, {operand(x.Exponent)}, {operand(x.Product)})",
        KLookup x => $"lookup({operand(x.Index)}, {string.Join(", ", x.Entries.Select(entry => Constant(new KConstant(entry, 1))))})",
        KConvert x => $"convert[{x.To.Name()}]({operand(x.Value)})",
        KBitcast x => $"bitcast[{x.To.Name()}]({operand(x.Value)})",
        KBroadcast x => $"broadcast[{Number(x.Lanes)}]({operand(x.Value)})",
        KRamp x => $"ramp[{Number(x.Lanes)}]({operand(x.Base)}, {operand(x.Stride)})",
        KShuffle x => $"shuffle{x.Lanes}({operand(x.Value)})",
        KJoin x => $"join({operand(x.Low)}, {operand(x.High)})",
        KAny x => $"any({operand(x.Flags)})",
        KDot x => $"dot({operand(x.Sum)}, {operand(x.Left)}, {operand(x.Right)})",
        _ => throw new CompilerBugException("Kernel IR printer", $"unknown expression {e.GetType().Name}"),
    };

    private static string Masked(Func<KExpr, string> operand, KExpr? mask, KExpr? otherwise) =>
        mask is null && otherwise is null ? ""
        : otherwise is null ? $", {operand(mask!)}"
        : $", {(mask is null ? Missing : operand(mask))}, {operand(otherwise)}";

    // Indices stand alone; other constants have their type before them.
    private static string Constant(KConstant constant) => constant.Type == KType.Index
        ? constant.Value.ToString()
        : $"{constant.Type} {constant.Value}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string SnakeCase(string name) => string.Concat(
        name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
