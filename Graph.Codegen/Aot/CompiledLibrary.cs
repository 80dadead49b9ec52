using System.Collections.Immutable;

namespace Graphene.Codegen.Aot;

/// <summary>A compiled native library: its object and all that is known of it.</summary>
public sealed class CompiledLibrary
{
    internal CompiledLibrary(
        NativeOptions options, AotTarget target, ImmutableArray<NativeFunction> functions, WeightsPlace weightsPlace, LinkedCode code,
        byte[]? weights, IReadOnlyDictionary<string, string> sourceHashes)
    {
        SourceHashes = sourceHashes;
        Options = options;
        Target = target;
        Functions = functions;
        WeightsPlace = weightsPlace;
        Code = code;
        Weights = weights is null ? default(ReadOnlyMemory<byte>?) : weights;
    }

    /// <summary>What was asked for.</summary>
    public NativeOptions Options { get; }

    /// <summary>What the code is for.</summary>
    public AotTarget Target { get; }

    /// <summary>The relocatable object, which needs no other file to be linked into a program.</summary>
    public ReadOnlyMemory<byte> Object => Code.Object;

    /// <summary>The C header.</summary>
    public string Header => CHeader.Print(this);

    /// <summary>The weights file; null when the weights are in the object.</summary>
    public ReadOnlyMemory<byte>? Weights { get; }

    /// <summary>The functions that the object defines for others; everything else in it is its own.</summary>
    public IReadOnlyList<string> Exports => [.. ExportsOf(Options, Functions)];

    /// <summary>The functions of others that the object needs: none, or such of libm.</summary>
    public IReadOnlyList<string> UndefinedSymbols => Code.UndefinedSymbols;

    /// <summary>The bytes of stack that a call needs, at most.</summary>
    public long StackBytes => Code.StackBytes;

    /// <summary>What a processor must have for any of the code to run, as LLVM writes it.</summary>
    public string RequiredFeatures => Target.Variants[0].Machine.RequiredFeatures;

    /// <summary>The optimized module as LLVM IR text.</summary>
    public string LlvmIr() => Code.Print();

    /// <summary>The code as assembly text.</summary>
    public string Assembly() => Code.Assembly();

    /// <summary>A hash of each signature's graph, as it was given to the compiler.</summary>
    public IReadOnlyDictionary<string, string> SourceHashes { get; }

    internal ImmutableArray<NativeFunction> Functions { get; }

    internal WeightsPlace WeightsPlace { get; }

    internal LinkedCode Code { get; }

    internal static IEnumerable<string> ExportsOf(NativeOptions options, ImmutableArray<NativeFunction> functions) =>
    [
        .. functions.SelectMany(f => f.Exports), $"{options.Name}_error_message", $"{options.Name}_processor_check",
        .. options.HasExternalWeights ? (string[])[$"{options.Name}_weights_check"] : [],
    ];
}
