using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Support;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>
/// The objects of an executable, linked with a few lines of C (<c>run_plan.c</c>) into a program for their machine. What the runtime
/// does in a process, tables of buffers and an arena, goes to it through files.
/// </summary>
internal sealed class ForeignProgram : IDisposable
{
    private const int Alignment = 64;

    private enum Segment
    {
        Inputs,
        Results,
        Constants,
        Arena,
    }

    private readonly TemporaryFolder _folder = new();
    private readonly ForeignMachine _machine;
    private readonly ExecutablePlan _plan;
    private readonly SignatureBinder _binder;

    public ForeignProgram(Executable executable, LlvmTarget target)
    {
        _machine = ForeignMachine.Require(target);
        _plan = executable.Plan;
        _binder = new SignatureBinder(_plan.InputTable, _plan.OutputTable, _plan.SymbolTable, _plan.CheckTable);
        var files = new List<string> { RepositoryRoot.Combine("Graph.Tests", "Codegen", "Aot", "run_plan.c") };
        foreach (ObjectCode code in executable.Objects)
        {
            files.Add(_folder.Combine(code.Name + ".o"));
            File.WriteAllBytes(files[^1], code.Bytes.ToArray());
        }
        ForeignMachine.Run(_machine.Compiler, ["-static", "-O1", "-o", _folder.Combine("program"), .. files]);
        WriteConstants(executable.Constants);
    }

    /// <summary>The fastest of the last runs.</summary>
    public TimeSpan Elapsed { get; private set; }

    public void Dispose() => _folder.Dispose();

    /// <summary>Runs the program.</summary>
    /// <param name="inputs">A value for each input, in order.</param>
    /// <param name="repeats">How often the graph is run.</param>
    public Literal[] Run(IReadOnlyList<Literal> inputs, int repeats = 1)
    {
        var symbols = new long[_plan.Symbols.Length];
        _binder.Bind([.. inputs.SelectMany(x => x.Shape.Select(d => d.Value))], symbols);
        TensorType[] outputs =
        [
            .. _plan.Outputs.Select(o => o.Type with
            {
                Shape = Shape.From(o.Type.Shape.Select(d => (Dim)d.Evaluate(s => symbols[_plan.Symbols.IndexOf(s)]))),
            }),
        ];
        WritePlan(symbols, inputs, outputs);
        string[] arguments =
        [
            .. _machine.Emulator, _folder.Combine("program"), _folder.Combine("plan"), _folder.Combine("inputs"),
            _folder.Combine("constants"), _folder.Combine("outputs"), repeats.ToString(CultureInfo.InvariantCulture),
        ];
        string time = ForeignMachine.Run(arguments[0], arguments[1..]);
        Elapsed = TimeSpan.FromMicroseconds(long.Parse(time, CultureInfo.InvariantCulture) / 1000.0);
        byte[] all = File.ReadAllBytes(_folder.Combine("outputs"));
        int at = 0;
        return Array.ConvertAll(outputs, type =>
        {
            int size = (int)type.SizeInBytes.Value;
            at += size;
            return new Literal(type, all.AsMemory((at - size)..at));
        });
    }

    private unsafe void WriteConstants(ConstantData constants)
    {
        using FileStream file = File.Create(_folder.Combine("constants"));
        for (long at = 0; at < constants.Length; at += 1 << 30)
        {
            file.Write(constants.Bytes(at, (int)Math.Min(1 << 30, constants.Length - at)));
        }
    }

    private void WritePlan(long[] symbols, IReadOnlyList<Literal> inputs, TensorType[] outputs)
    {
        long[] starts = new long[inputs.Count];
        using (FileStream file = File.Create(_folder.Combine("inputs")))
        {
            for (int i = 0; i < inputs.Count; i++)
            {
                file.Write(new byte[(int)(-file.Length & (Alignment - 1))]);
                starts[i] = file.Length;
                file.Write(inputs[i].Bytes.Span);
            }
        }
        (long[] bytes, long[] offsets, long arena) = new BufferSizer(_plan, _binder).Compute(symbols);
        long results = 0;
        var places = new (Segment Segment, long Offset)[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            BufferSpec buffer = _plan.Buffers[i];
            places[i] = buffer.Kind switch
            {
                BufferKind.Parameter => (Segment.Inputs, starts[buffer.Index]),
                BufferKind.Result => (Segment.Results, results),
                BufferKind.Constant => (Segment.Constants, offsets[i]),
                _ => (Segment.Arena, offsets[i]),
            };
            results += buffer.Kind == BufferKind.Result ? (bytes[i] + Alignment - 1) & -Alignment : 0;
        }
        for (int i = 0; i < bytes.Length; i++)
        {
            if (_plan.Buffers[i] is { Kind: BufferKind.Alias, Index: var whole })
            {
                places[i] = (places[whole].Segment, places[whole].Offset + offsets[i]);
            }
        }
        ImmutableArray<long> numbers =
        [
            symbols.Length, .. symbols,
            places.Length, .. places.SelectMany(p => (long[])[(long)p.Segment, p.Offset]),
            arena, results,
            outputs.Length, .. outputs.SelectMany((type, i) => (long[])[_plan.Outputs[i].Buffer, type.SizeInBytes.Value]),
        ];
        File.WriteAllBytes(_folder.Combine("plan"), MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray());
    }
}
