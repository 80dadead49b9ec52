using System.Globalization;
using Graphene.Cli.Values;
using Graphene.Runtime;

namespace Graphene.Cli.Inspection;

/// <summary>A bundle as text for people.</summary>
internal static class BundleText
{
    /// <summary>Everything that a bundle says about itself.</summary>
    public static string Write(BundleInfo bundle)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"bundle '{bundle.Name}', format {bundle.FormatVersion}, {bundle.FileBytes} bytes");
        text.WriteLine($"compiler   {bundle.CompilerVersion}");
        text.WriteLine($"signed by  {bundle.SignedBy ?? "nobody"}");
        text.WriteLine($"constants  {bundle.ConstantBytes} bytes, shared by all functions and variants");
        Variants(bundle, text);
        foreach (BundleFunctionInfo function in bundle.Functions)
        {
            Function(function, text);
        }
        if (bundle.States.Count > 0)
        {
            text.WriteLine();
            text.WriteLine("state");
            foreach (BundleStateInfo state in bundle.States)
            {
                text.WriteLine($"  {state.Name}: {state.Type}{(state.StartsAsZeros ? "" : ", with a first value")}");
            }
        }
        Sections(bundle, text);
        return text.ToString();
    }

    private static void Variants(BundleInfo bundle, StringWriter text)
    {
        text.WriteLine();
        text.WriteLine("variants, the best first");
        foreach (BundleVariantInfo variant in bundle.Variants)
        {
            text.WriteLine($"  {variant.Name}: {variant.TargetTriple}{(variant.WhyNotHere is { } reason ? $" (not here: {reason})" : "")}");
            text.WriteLine($"    {(variant.CpuFeatures.Length > 0 ? variant.CpuFeatures : "no features besides the architecture's own")}");
        }
    }

    private static void Function(BundleFunctionInfo function, StringWriter text)
    {
        text.WriteLine();
        text.WriteLine($"function {function.Name}{(function.Source.Length > 0 ? $", from {function.Source}" : "")}");
        for (int i = 0; i < function.Inputs.Length; i++)
        {
            InputSpec input = function.Inputs[i];
            string note = function.States.FirstOrDefault(s => s.Input == input.Name) is { } use ? $"   state {use.State}"
                : input.DefaultBuffer >= 0 ? "   has a default" : "";
            text.WriteLine($"  in   {input.Name}: {input.Type}{note}");
        }
        foreach (OutputSpec output in function.Outputs)
        {
            string note = function.States.FirstOrDefault(s => s.Output == output.Name) is { } use ? $"   next state {use.State}" : "";
            text.WriteLine($"  out  {output.Name}: {output.Type}{note}");
        }
        foreach (DimSymbol symbol in function.Symbols)
        {
            text.WriteLine($"  with {symbol.Name} from {symbol.Min} to {symbol.Max}");
        }
        string least = function.Symbols.IsEmpty ? "" : " at least";
        foreach (BundleCodeInfo code in function.Code)
        {
            text.WriteLine(
                $"  {code.Variant}: {code.CodeBytes} bytes of objects, {code.Kernels} kernels, arena{least} {code.ArenaBytes} bytes");
        }
    }

    private static void Sections(BundleInfo bundle, StringWriter text)
    {
        var table = new TextTable("section", "offset", "bytes", "hash");
        foreach (BundleSectionInfo section in bundle.Sections)
        {
            table.AddRow(
                section.Kind, section.Offset.ToString(CultureInfo.InvariantCulture), section.Length.ToString(CultureInfo.InvariantCulture),
                section.Hash);
        }
        table.Write(text);
    }
}
