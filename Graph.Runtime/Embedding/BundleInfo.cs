using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>What a bundle says about itself, all of it verified and none of its code loaded: for tools, on any processor.</summary>
public sealed record BundleInfo
{
    /// <summary>The name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>The version of the format.</summary>
    public required int FormatVersion { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>The build of the compiler that made it.</summary>
    public required string CompilerVersion { get; init; }

    /// <summary>The processors and GPUs that there is code for, the best first.</summary>
    public required IReadOnlyList<BundleVariantInfo> Variants { get; init; }

    /// <summary>The functions.</summary>
    public required IReadOnlyList<BundleFunctionInfo> Functions { get; init; }

    /// <summary>What functions leave for each other.</summary>
    public required IReadOnlyList<BundleStateInfo> States { get; init; }

    /// <summary>Bytes of all constants, which functions and variants share.</summary>
    public required long ConstantBytes { get; init; }

    /// <summary>The parts of the file.</summary>
    public required IReadOnlyList<BundleSectionInfo> Sections { get; init; }

    /// <summary>The SHA-256 of the public key of whoever signed it; null when nobody did.</summary>
    public string? SignedBy { get; init; }

    /// <summary>Reads and verifies all of a bundle.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedKeys">Public keys in PEM form, of whose owners one must have signed it; none: anybody or nobody.</param>
    /// <exception cref="GraphException">
    /// GR6102: it is damaged. GR6110, GR6111: it is not signed by whom it should be, or its signature belongs to other bytes.
    /// </exception>
    public static BundleInfo Read(string path, params IReadOnlyList<string> trustedKeys)
    {
        try
        {
            using FileSource source = FileSource.Open(path);
            ExecutableFile file = ExecutableFile.Open(source);
            FileSeal? seal = file.ReadSeal();
            if (trustedKeys.Count > 0)
            {
                BundleTrust.Require(file, seal, trustedKeys, path);
            }
            else if (seal is not null)
            {
                BundleTrust.RequireOwnKey(file, seal, path);
            }
            file.VerifyRest(new bool[file.Sections.Length]);
            file.Constants(verify: true).Dispose();
            return Of(file, seal, source.Length);
        }
        catch (Exception e) when (ExecutableReader.IsBadFile(e))
        {
            throw ExecutableReader.Error(e, path);
        }
    }

    private static BundleInfo Of(ExecutableFile file, FileSeal? seal, long length)
    {
        FileIndex index = file.Index;
        return new BundleInfo
        {
            Name = index.Name,
            FormatVersion = file.Header.Version,
            FileBytes = length,
            CompilerVersion = index.CompilerVersion,
            Variants = [.. index.Variants.Select(v => new BundleVariantInfo(
                v.Name, v.TargetTriple, v.CpuFeatures, VariantChoice.WhyNot(v, null)))],
            Functions = [.. index.Signatures.Select((s, i) => FunctionOf(file, s, i))],
            States = [.. index.States.Select(s => new BundleStateInfo(s.Name, s.Type, s.Initial < 0))],
            ConstantBytes = file.ConstantSection?.Length ?? 0,
            Sections = [.. file.Sections.Select(s => new BundleSectionInfo(
                s.Kind.ToString(), s.Offset, s.Length, Convert.ToHexStringLower(s.Hash)))],
            SignedBy = seal?.KeyFingerprint,
        };
    }

    private static BundleFunctionInfo FunctionOf(ExecutableFile file, FileSignature signature, int number)
    {
        ExecutablePlan? first = null;
        var code = new List<BundleCodeInfo>();
        for (int v = 0; v < file.Index.Variants.Length; v++)
        {
            ExecutablePlan plan = file.ReadPlan(file.Index.PlanOf(number, v), out ObjectNames names);
            first ??= plan;
            code.Add(new BundleCodeInfo(
                file.Index.Variants[v].Name, names.Numbers.Sum(n => file.Sections[file.SectionOfObject(n)].Length), plan.Kernels.Length,
                ArenaBytes(plan)));
        }
        return new BundleFunctionInfo(signature.Name, signature.Source, first!.Inputs, first.Outputs, first.Symbols, code)
        {
            States = [.. signature.States.Select(u => new BundleStateUseInfo(
                file.Index.States[u.State].Name, u.Input < 0 ? null : first.Inputs[u.Input].Name,
                u.Output < 0 ? null : first.Outputs[u.Output].Name))],
        };
    }

    // For the least sizes of what is symbolic.
    private static long ArenaBytes(ExecutablePlan plan)
    {
        var binder = new SignatureBinder(plan.InputTable, plan.OutputTable, plan.SymbolTable, plan.CheckTable);
        return new BufferSizer(plan, binder).Compute([.. plan.Symbols.Select(s => s.Min)]).ArenaBytes;
    }
}

/// <summary>A processor or GPU that there is code for.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="TargetTriple">LLVM's words for it.</param>
/// <param name="CpuFeatures">The features that the code uses; of a GPU its architecture, such as <c>sm_90a</c>.</param>
/// <param name="WhyNotHere">Why this processor cannot run it; null when it can.</param>
public sealed record BundleVariantInfo(string Name, string TargetTriple, string CpuFeatures, string? WhyNotHere);

/// <summary>A function.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Source">The hash of what it was compiled from; may be empty.</param>
/// <param name="Inputs">What it takes, states included.</param>
/// <param name="Outputs">What it gives, states included.</param>
/// <param name="Symbols">The symbolic dimensions.</param>
/// <param name="Code">Its code, by variant.</param>
public sealed record BundleFunctionInfo(
    string Name, string Source, ImmutableArray<InputSpec> Inputs, ImmutableArray<OutputSpec> Outputs, ImmutableArray<DimSymbol> Symbols,
    IReadOnlyList<BundleCodeInfo> Code)
{
    /// <summary>Which of its inputs and outputs are state.</summary>
    public IReadOnlyList<BundleStateUseInfo> States { get; init; } = [];
}

/// <summary>Code of a function.</summary>
/// <param name="Variant">For which variant.</param>
/// <param name="CodeBytes">Bytes of its objects.</param>
/// <param name="Kernels">The number of kernels.</param>
/// <param name="ArenaBytes">Bytes of scratch memory of a run, for the least sizes of symbolic dimensions.</param>
public sealed record BundleCodeInfo(string Variant, long CodeBytes, int Kernels, long ArenaBytes);

/// <summary>A value that functions leave for each other.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="StartsAsZeros">Whether its first value is all zeros; it is in the file otherwise.</param>
public sealed record BundleStateInfo(string Name, TensorType Type, bool StartsAsZeros);

/// <summary>How a function uses a state.</summary>
/// <param name="State">The state.</param>
/// <param name="Input">The input that takes its value; null when it is not read.</param>
/// <param name="Output">The output that gives its next value; null when it is not assigned.</param>
public sealed record BundleStateUseInfo(string State, string? Input, string? Output);

/// <summary>A part of the file.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Offset">Where it is.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Hash">The SHA-256 of the SHA-256 of its mebibytes and of its length, in hexadecimal digits.</param>
public sealed record BundleSectionInfo(string Kind, long Offset, long Length, string Hash);
