using Graphene.Codegen;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Makes kernels with threads that nobody would write, and in which no access is in the way of another.</summary>
/// <remarks>
/// Rounds of writing to shared memory and reading what others wrote, between arithmetic of each thread,
/// branches and loops.
/// </remarks>
internal sealed class RandomThreadKernel
{
    /// <summary>The threads of a task.</summary>
    public const int Threads = 64;

    /// <summary>How many tasks a kernel has.</summary>
    public const int Tasks = 2;

    /// <summary>Elements that a thread writes to each result.</summary>
    public const int Count = 4;

    private readonly Random _random;
    private readonly KBuilder _b = new();
    private readonly KVariable _task = new("task", KType.Index);
    private readonly KVariable _thread = new("thread", KType.Index);
    private readonly KBuffer[] _operands;
    private readonly KBuffer[] _results;
    private readonly RandomExpression _expressions;
    private readonly List<KBuffer> _shared = [];
    private KRegister _carried = null!;

    private RandomThreadKernel(int seed)
    {
        _random = new Random(seed);
        DType[] types = RandomExpression.Types;
        _operands = [.. types.Select((t, i) => KBuffer.ForArgument($"x{i}", t, i, isReadOnly: true))];
        _results = [.. Enumerable.Range(0, 3).Select(
            i => KBuffer.ForArgument($"y{i}", types[_random.Next(types.Length)], types.Length + i, isReadOnly: false))];
        _expressions = new RandomExpression(_random, _operands);
    }

    /// <summary>The kernel of a seed.</summary>
    public static Kernel Generate(int seed) => new RandomThreadKernel(seed).Generate();

    private Kernel Generate()
    {
        int lanes = (int[])[1, 2, 4] is var choices ? choices[_random.Next(choices.Length)] : 1;
        KExpr at = KBuilder.Remainder(KBuilder.Add(KBuilder.Multiply(_thread, 5), _task), RandomKernel.Count);
        _expressions.Enter(_b.Let("at", at), lanes);
        _carried = _b.Declare("carried", _expressions.Make(RandomType(lanes), 3));
        _expressions.Registers.Add(_carried);
        int rounds = _random.Next(2, 6);
        for (int i = 0; i < rounds; i++)
        {
            Round(lanes);
        }
        KExpr first = KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(_task, Threads), _thread), Count);
        foreach (KBuffer result in _results)
        {
            KExpr value = _random.Next(2) == 0
                ? new KConvert(new KRead(_carried), result.Element)
                : _expressions.Make(new KType(result.Element, lanes), 4);
            _b.Add(new KStore(result, first, value, Alignment: _random.Next(2) == 0 ? 1 : lanes));
        }
        return new Kernel("random threads", [.. _operands, .. _results], _task, Tasks, _b.ToBlock(), new KernelCost(1, 2))
        {
            Threads = new KThreads(_thread, Threads) { TasksPerMultiprocessor = _random.Next(1, 3) },
        };
    }

    private void Round(int lanes)
    {
        switch (_random.Next(7))
        {
            case 0:
                Compute(lanes);
                break;
            case 1:
                Branch();
                break;
            case 2:
                Repeat();
                break;
            case 3:
                Share(lanes, isWarp: false);
                break;
            case 4:
                Share(lanes, isWarp: true);
                break;
            case 5:
                Exchange();
                break;
            default:
                Copy();
                break;
        }
    }

    private void Compute(int lanes)
    {
        _expressions.Variables.Add(_b.Let("value", _expressions.Make(RandomType(lanes), 4)));
        _b.Assign(_carried, _expressions.Make(_carried.Type, 4));
    }

    private void Branch() => _b.If(
        _expressions.Make(new KType(DType.Bool), 3),
        () => _b.Assign(_carried, _expressions.Make(_carried.Type, 3)),
        _random.Next(2) == 0 ? () => _b.Assign(_carried, _expressions.Make(_carried.Type, 3)) : null);

    // Each thread goes round as often as its number says.
    private void Repeat()
    {
        KBuffer scratch = _b.Scratch("scratch", _carried.Type.Element, 8);
        _b.For("s", 0, 8, 1, s => _b.Store(scratch, s, _expressions.Make(_carried.Type with { Lanes = 1 }, 2)));
        if (_random.Next(2) == 0)
        {
            KExpr end = KBuilder.Remainder(_thread, _random.Next(2, 5));
            _b.For("i", _random.Next(2), end, 1, i =>
            {
                _b.Assign(_carried, _expressions.Make(_carried.Type, 2));
                _b.Store(scratch, i, new KShuffle(new KRead(_carried), [0]));
            });
        }
        else
        {
            KRegister rounds = _b.Declare("rounds", KBuilder.Remainder(_thread, _random.Next(1, 4)));
            _b.While(KBuilder.Less(new KRead(rounds), 3), () =>
            {
                _b.Assign(_carried, _expressions.Make(_carried.Type, 2));
                _b.Assign(rounds, KBuilder.Add(new KRead(rounds), 1));
            });
        }
        _b.Assign(_carried, new KGather(scratch, _expressions.Places(_carried.Type.Lanes, 8)));
    }

    // Every thread writes a place of its own, meets the others, and reads the place of another one.
    private void Share(int lanes, bool isWarp)
    {
        KBuffer? below = _shared.Count > 0 && _random.Next(2) == 0 ? _shared[_random.Next(_shared.Count)] : null;
        KBuffer buffer = KBuffer.Shared("shared", _carried.Type.Element, Threads * lanes, below);
        _b.Add(new KBarrier()); // others may still read what lies there
        _b.Add(new KScratch(buffer));
        _shared.Add(buffer);
        int odd = (2 * _random.Next(16)) + 1;
        KExpr own = KBuilder.Multiply(_thread, lanes);
        KExpr group = isWarp ? KBuilder.Multiply(KBuilder.Divide(_thread, KThreads.WarpSize), KThreads.WarpSize) : 0;
        KExpr turned = KBuilder.Remainder(
            KBuilder.Add(KBuilder.Multiply(_thread, odd), _random.Next(9)), isWarp ? KThreads.WarpSize : Threads);
        KExpr other = KBuilder.Multiply(KBuilder.Add(group, turned), lanes);
        _b.Add(new KStore(buffer, own, _expressions.Make(_carried.Type, 2), Alignment: lanes));
        _b.Add(isWarp ? new KWarpBarrier() : new KBarrier());
        KExpr read = new KLoad(buffer, other, lanes, Alignment: _random.Next(2) == 0 ? lanes : 1);
        _b.Assign(_carried, read);
    }

    private void Exchange()
    {
        var taken = new KVariable("taken", _carried.Type);
        KExpr operand = _random.Next(2) == 0 ? _random.Next(32) : KBuilder.Remainder(_thread, KThreads.WarpSize);
        _b.Add(new KExchange(taken, _expressions.Make(_carried.Type, 2), (KExchangeKind)_random.Next(4), operand));
        _expressions.Variables.Add(taken);
        _b.Assign(_carried, taken);
    }

    private void Copy()
    {
        KBuffer from = _operands[Array.IndexOf(RandomExpression.Types, _carried.Type.Element)];
        int count = Math.Max(1, 4 / from.Element.SizeInBytes());
        KBuffer to = KBuffer.Shared("copied", from.Element, Threads * count);
        if (count * from.Element.SizeInBytes() is not (4 or 8))
        {
            return;
        }
        _b.Add(new KScratch(to));
        KExpr place = KBuilder.Multiply(_thread, count);
        KExpr? condition = _random.Next(2) == 0 ? KBuilder.Less(_thread, _random.Next(Threads)) : null;
        KExpr source = KBuilder.Remainder(place, 128);
        _b.Add(new KAsyncCopy(to, place, from, source, count, condition));
        _b.Add(new KAsyncCommit());
        _b.Add(new KAsyncWait(0));
        if (_random.Next(2) == 0)
        {
            _b.Add(new KBarrier());
            place = KBuilder.Multiply(KBuilder.Subtract(Threads - 1, _thread), count);
        }
        KExpr read = new KLoad(to, place);
        _b.Assign(_carried, KBuilder.Broadcast(read, _carried.Type.Lanes));
    }

    private KType RandomType(int lanes) => new(RandomExpression.Types[_random.Next(RandomExpression.Types.Length)], lanes);
}
